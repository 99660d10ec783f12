"""Events a second: recorded in the Platform store, flowed down, and heard.

The engage store holds 10,000 accounts with two people each; 1,000 of the accounts rest in a journey that
listens for a form or for a visit to the price list. 50,000 events of all these people, five an account, in
no order, are recorded by the code that the gateway, files and the command share, in batches of 500, one
after another; meanwhile the down-flow follows, page by page, in the same process. A tenth of the events
is of accounts that listen; of those every one is matched against its account's listener, and the one
form in five wakes it. The clock starts before the first event is recorded and stops when the last of them
has been taken in and every account that listened has its wake-up in the dispatcher's queue. Signals to
Temporal are not in it: see ``wake_seconds_p99``.
"""

import asyncio
import random
import time
from datetime import UTC, datetime, timedelta

from benchmarks import data
from benchmarks.figures import Figure, Target, significant
from benchmarks.ground import Ground, NotReached, Pair
from benchmarks.inside import let_in
from caravan.campaigns import audience_flow, stretch
from caravan.campaigns.plans import PlanCache
from caravan.platform.event_lines import EventRow
from caravan.platform.events import BATCH, record_events

ACCOUNTS, PEOPLE, LISTENING = 10_000, 2, 1_000
PER_ACCOUNT = 5
EVENTS = ACCOUNTS * PER_ACCOUNT


async def measure(ground: Ground) -> list[Figure]:
    """Let 1,000 accounts listen, then record and follow."""
    async with ground.pair("events", "ears") as pair:
        numbers = range(1, ACCOUNTS + 1)
        await pair.load(data.accounts_file(pair.folder, numbers))
        await pair.load(data.people_file(pair.folder, numbers, PEOPLE))
        plans = PlanCache()
        for traversal in await let_in(pair, plans, "ears"):
            await stretch.run(pair.engage, plans, traversal, 0, datetime.now(UTC))
        while await audience_flow.follow_page(pair.engage, pair.platform, plans, datetime.now(UTC)):
            pass  # what was loaded is no event
        for pool in (pair.engage, pair.platform):
            await pool.execute("vacuum analyze")
        began = time.perf_counter()
        recorded = asyncio.create_task(_record(pair, _events(datetime.now(UTC))))
        follow = await _follow(pair, plans, recorded)
        took = time.perf_counter() - began
        await _all_there(pair)
    return [
        Figure(
            "events_per_s",
            significant(EVENTS / took),
            Target("at least", 5_000),
            "/s",
            {
                "events": EVENTS,
                "listening": LISTENING,
                "recorded_after_s": significant(await recorded),
                "followed_after_s": significant(follow),
            },
        )
    ]


def _events(now: datetime) -> list[EventRow]:
    """The same on every run: of every account four visits and one form, in no order."""
    what = [(number, kind) for number in range(1, ACCOUNTS + 1) for kind in range(PER_ACCOUNT)]
    random.Random(20).shuffle(what)
    return [
        EventRow(
            id=f"event-{number}-{kind}",
            type="page_visited" if kind else "form_filled",
            at=now + timedelta(microseconds=place),
            account=None,
            person=f"person-{number}-{kind % PEOPLE}",
            fields={"url": f"https://us.example/page/{kind}"} if kind else {"form": "meeting"},
            line=place,
        )
        for place, (number, kind) in enumerate(what)
    ]


async def _record(pair: Pair, events: list[EventRow]) -> float:
    """Record them, a batch after another; returns its seconds."""
    began = time.perf_counter()
    for start in range(0, EVENTS, BATCH):
        batch = events[start : start + BATCH]
        recorded = await record_events(pair.platform, batch, datetime.now(UTC))
        if len(recorded.new) != BATCH:
            raise NotReached(f"of a batch {len(recorded.new)} were new: {recorded.refused}")
    return time.perf_counter() - began


async def _follow(pair: Pair, plans: PlanCache, recorded: "asyncio.Task[float]") -> float:
    """Follow the Platform's outbox until nothing more comes; returns its seconds."""
    began = time.perf_counter()
    over = False
    while True:
        at = datetime.now(UTC)
        if await audience_flow.follow_page(pair.engage, pair.platform, plans, at):
            continue
        if over:
            return time.perf_counter() - began
        over = recorded.done()
        await asyncio.sleep(0.01)


async def _all_there(pair: Pair) -> None:
    taken = await pair.engage.fetchval("select count(*) from activities")
    woken = await pair.engage.fetchval("select count(distinct traversal_id) from wakeups")
    heard = await pair.engage.fetchval(
        "select count(*) from listeners l join activities e on e.id = l.activity_id"
        " where e.type = 'form_filled'"
    )
    if (taken, woken, heard) != (EVENTS, LISTENING, LISTENING):
        raise NotReached(
            f"{taken} events were taken in, {woken} accounts woken, {heard} heard a form"
        )
