"""How long a qualified account waits at the door, with 200 changes a second of which ten qualify.

The data of 200 accounts lies in the Platform, outside the audience, and so does that of the bystanders.
Then, every tenth of a second, an import changes the one cell that was missing of one account, and another
import a cell each of 19 bystanders, who stay outside. The clock of an account starts before its import
begins (so before its commit) and stops when another connection sees the first step of its traversal,
looking every 20 ms. In between are the real streams of a real worker process: outbox, audience, data flow,
admission, workflow start, and the step, which writes a field that the up-flow takes back to the Platform.
"""

import asyncio
import itertools
import time

from benchmarks import data
from benchmarks.figures import Figure, Target, percentile, significant
from benchmarks.ground import Ground, Pair, reached
from starter.apply import apply_workspace

ACCOUNTS = 200
PER_SECOND = 10
CHANGES_PER_SECOND = 200
BYSTANDERS = range(10_000, 11_000)
LOOK_EVERY = 0.02

_STEPPED = """
select a.external_id
from accounts a join traversals t on t.account_id = a.id
where not a.external_id = any($1::text[])
  and exists (select from steps s where s.traversal_id = t.id)
"""


async def measure(ground: Ground) -> list[Figure]:
    """Publish to nobody, let one account in to see that all is up, then the others."""
    async with ground.pair("entry-seconds", "door") as pair:
        numbers = range(ACCOUNTS + 1)
        await pair.load(data.accounts_file(pair.folder, numbers, industry="Unknown"))
        await pair.load(data.people_file(pair.folder, numbers))
        await pair.load(data.accounts_file(pair.folder, BYSTANDERS, industry="Unknown"))
        await pair.load(data.people_file(pair.folder, BYSTANDERS))
        ground.stack.start_worker([], name="entry-worker")
        try:
            await apply_workspace(
                pair.settings, pair.stores, pair.workspace, draft=False, data=False
            )
            waited, changes_per_second = await _trickle(pair)
        finally:
            ground.stack.stop(only="entry-worker")
    return [
        Figure(
            "entry_seconds_p99",
            significant(percentile(waited, 0.99)),
            Target("at most", 2),
            "s",
            {
                "median": significant(percentile(waited, 0.5)),
                "p90": significant(percentile(waited, 0.9)),
                "most": significant(max(waited)),
                "by_second": [
                    significant(max(waited[n : n + PER_SECOND]))
                    for n in range(0, len(waited), PER_SECOND)
                ],
                "accounts": len(waited),
                "changes_per_second": significant(changes_per_second),
            },
        )
    ]


async def _trickle(pair: Pair) -> tuple[list[float], float]:
    """Seconds from the door to the first step, one per account; and the changes a second there were."""
    others = itertools.cycle(BYSTANDERS)
    changes = 0
    seconds = 0.0
    qualified: dict[str, float] = {}
    stepped: dict[str, float] = {}

    async def qualify(number: int) -> None:
        file = data.accounts_file(pair.folder, [number])
        qualified[f"account-{number}"] = time.monotonic()
        await pair.load(file)

    async def change_others(tick: int) -> None:
        some = list(itertools.islice(others, CHANGES_PER_SECOND // PER_SECOND - 1))
        report = await pair.load(data.accounts_file(pair.folder, some, industry=f"Other {tick}"))
        if report.changed != len(some):
            raise AssertionError(f"{report.changed} of {len(some)} bystanders changed")

    async def come_in() -> None:
        nonlocal changes, seconds
        began = time.monotonic()
        for number in range(1, ACCOUNTS + 1):
            await asyncio.sleep(began + number / PER_SECOND - time.monotonic())
            await qualify(number)
            await change_others(number)
            changes += CHANGES_PER_SECOND // PER_SECOND
        seconds = time.monotonic() - began

    async def seen(accounts: int) -> bool:
        rows = await pair.engage.fetch(_STEPPED, list(stepped))
        at = time.monotonic()
        stepped.update((row["external_id"], at) for row in rows)
        return len(stepped) == accounts

    await qualify(0)  # the streams are up once it is in
    await reached("the first account's first step", lambda: seen(1), every=LOOK_EVERY)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(come_in())
            await reached("all accounts' first steps", lambda: seen(ACCOUNTS + 1), every=LOOK_EVERY)
    except ExceptionGroup as group_of_one:  # the other was only cut off by it
        raise group_of_one.exceptions[0] from None
    waited = [stepped[one] - at for one, at in qualified.items() if one != "account-0"]
    return waited, changes / seconds
