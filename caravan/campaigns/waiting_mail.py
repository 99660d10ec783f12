"""Mail that waits for the delivery queue: taking what is due, and judging each message anew.

A message is judged by what holds now (may it go, to this person, at this hour) and written with today's data, by
the plan and the copy it was claimed with: its account may have moved on since, or have left.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from caravan.campaigns.candidates import Candidate
from caravan.campaigns.effects import Place
from caravan.campaigns.group_tokens import with_group
from caravan.campaigns.mail_settling import GIVE_UP_AFTER
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.may_send import Decision, decide
from caravan.campaigns.messages import kind_of
from caravan.campaigns.plans import Copy, PlanCache
from caravan.campaigns.visit import Traversal, Visit
from caravan.delivery.errors import DeliveryError
from caravan.delivery.transport import Outgoing
from caravan.engage import sql
from caravan.journeys.actions import Action
from caravan.journeys.nodes import segment_actions
from caravan.journeys.plan import Plan
from caravan.journeys.reasons import ExitReason, SkipReason

#: messages of one journey that a try takes at once
BATCH = 20
#: how long a message is a try's; whoever comes later takes it over, and the try finds out before it hands it over
LEASE = timedelta(minutes=2)
#: when what the operator's settings keep from leaving is looked at again
WITHHELD_FOR = timedelta(minutes=1)
#: ends after which nothing of a traversal is sent any more: it was cut off, or left by a rule that says so
CUT_OFF = (
    ExitReason.ABORTED, ExitReason.REMOVED, ExitReason.END_DATE, ExitReason.EXIT,
    ExitReason.ACCOUNT_DELETED, ExitReason.ACCOUNT_MERGED,
)  # fmt: skip


@dataclass(frozen=True)
class Waiting:
    """A message as it was taken from the queue."""

    number: int
    journey_id: int
    traversal_id: int
    node: str
    visit: int
    position: int
    person_id: int
    path: str | None
    action: str
    message_id: str
    template: str | None
    copy: int | None
    claimed_at: datetime
    tries: int

    @property
    def send(self) -> tuple[object, ...]:
        """What those of one send have in common: they are judged together."""
        return (
            self.traversal_id,
            self.node,
            self.visit,
            self.position,
            self.journey_id,
            self.copy or 0,
        )


@dataclass(frozen=True)
class Ready:
    """A message that may go now."""

    waiting: Waiting
    slug: str
    outgoing: Outgoing


async def take(pool: Any, claimant: str, at: datetime) -> list[Waiting]:
    """Take some messages whose time has come; they are this try's for a while."""
    rows = await sql.fetch(
        pool, "take_waiting", claimant=claimant, at=at, lease=at + LEASE, limit=BATCH
    )
    return [Waiting(**row) for row in rows]


def by_send(messages: Sequence[Waiting]) -> Iterator[list[Waiting]]:
    """The messages of each send at one node."""
    for _, some in groupby(sorted(messages, key=lambda one: one.send), key=lambda one: one.send):
        yield list(some)


async def judge(
    pool: Any,
    plans: PlanCache,
    mailing: Mailing,
    messages: Sequence[Waiting],
    claimant: str,
    at: datetime,
) -> list[Ready]:
    """Judge the messages of one send, in one transaction with all that the checks take.

    What does not go is noted, with the reason; what its journey's pause holds back waits on.
    """
    first = messages[0]
    async with pool.acquire() as conn, conn.transaction():
        row = await sql.fetchrow(
            conn, "share_traversal", traversal_id=first.traversal_id, journey_id=first.journey_id
        )
        people = {
            one["number"]: one["attributes"]
            for one in await sql.fetch(
                conn, "still_ours", numbers=[one.number for one in messages], claimant=claimant
            )
        }
        ours = [one for one in messages if one.number in people]
        if not ours:
            return []
        if row["paused"]:
            await put_back(conn, ours, claimant, at)
            return []
        visit, action = await _visit(conn, plans, row, first, at)
        if first.template is not None:
            visit = await with_group(visit, first.template)
        if mailing.withheld is not None and visit.is_marketing(first.template):
            await put_back(conn, ours, claimant, at + WITHHELD_FOR, mailing.withheld)
            return []
        over = row["gone"] or _over(row, at)
        decisions = {one.number: Decision(over or _expired(one, at)) for one in ours}
        going = [one for one in ours if decisions[one.number].goes]
        if going:
            candidates = {
                one.number: Candidate(one.person_id, people[one.number] or {}) for one in going
            }
            place = Place(first.position, first.path)
            said = await decide(visit, mailing, place, action, list(candidates.values()))
            decisions |= {one.number: said[one.person_id] for one in going}
        ready: list[Ready] = []
        unfit: dict[int, str] = {}
        for one in [one for one in going if decisions[one.number].goes]:
            try:
                outgoing = await kind_of(action).write(
                    visit, mailing, action, candidates[one.number], one.message_id, one.number
                )
            except DeliveryError as error:
                unfit[one.number] = str(error)
                decisions[one.number] = Decision(SkipReason.BAD_VALUE)
            else:
                ready.append(Ready(one, row["slug"], outgoing))
        await _note(conn, ours, decisions, unfit, claimant, at)
    return ready


async def put_back(
    conn: Any,
    messages: Sequence[Waiting],
    claimant: str,
    until: datetime,
    reply: str | None = None,
) -> None:
    """What has not left waits on, until then."""
    await sql.execute(
        conn,
        "put_back",
        numbers=[one.number for one in messages],
        claimant=claimant,
        until=until,
        reply=reply,
    )


def _over(row: Any, at: datetime) -> SkipReason | None:
    """Whether nothing of this traversal is sent any more."""
    cut_off = row["ended_at"] is not None and row["reason"] in CUT_OFF
    if cut_off or row["journey_state"] == "aborted" or at >= row["deadline"]:
        return SkipReason.JOURNEY_NOT_LIVE
    return None


def _expired(message: Waiting, at: datetime) -> SkipReason | None:
    return SkipReason.EXPIRED if at > message.claimed_at + GIVE_UP_AFTER else None


async def _visit(
    conn: Any, plans: PlanCache, row: Any, message: Waiting, at: datetime
) -> tuple[Visit, Action]:
    """The visit that a message was claimed at, as its node's send saw it."""
    loaded = await plans.load(conn, row["plan_hash"])
    copies: dict[str, Copy] = {}
    if message.copy is not None and message.template is not None:
        copies[message.template] = await plans.copy(conn, message.journey_id, message.copy)
    traversal = Traversal.of(row, copies, await plans.limits(conn, row["limits_hash"]))
    visit = Visit(
        conn=conn,
        plans=plans,
        loaded=loaded,
        traversal=traversal,
        account=row["account"],
        node=message.node,
        number=message.visit,
        arrived_at=message.claimed_at,
        as_of=at,
        waited=True,
    )
    return visit, _action(loaded.plan, message)


def _action(plan: Plan, message: Waiting) -> Action:
    for segment in segment_actions(plan.nodes[message.node]):
        for position, _, action in segment:
            if position == message.position and action.kind == message.action:
                return action
    raise LookupError(f"no {message.action} at {message.node}, position {message.position}")


async def _note(
    conn: Any,
    messages: Sequence[Waiting],
    decisions: dict[int, Decision],
    unfit: dict[int, str],
    claimant: str,
    at: datetime,
) -> None:
    """Write down what was decided of those that do not go; a held one waits for its hour."""
    told = [one for one in messages if not decisions[one.number].goes]
    if not told:
        return
    await sql.execute(
        conn,
        "decide_waiting",
        numbers=[one.number for one in told],
        reasons=[decisions[one.number].reason for one in told],
        untils=[decisions[one.number].waits_until for one in told],
        replies=[unfit.get(one.number) for one in told],
        claimant=claimant,
        at=at,
    )
