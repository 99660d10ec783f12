"""A journey whose messages fail is paused, and says so.

Of the messages of the last hour, by journey over all its versions: where more than a tenth failed, of twenty
or more, something is wrong – an address list, a template, the sender's standing – that more of the same makes
worse. A message that was refused for good has failed, and so has one in doubt, and one that could not be made of
its data (``bad-value``), or a mailing nobody can be written would vanish without a word; one that was refused for now is
still to be decided and does not count. Who lets the journey go on begins a new hour.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from caravan.engage import sql

#: how far back messages count
WINDOW = timedelta(hours=1)
#: of how many settled messages a share says anything
FEWEST = 20
#: one in so many may fail
ONE_IN = 10
UNFIT = "not made of their data"


@dataclass(frozen=True)
class Stopped:
    """A journey that was paused because its messages fail."""

    slug: str
    versions: tuple[int, ...]
    why: str


async def stop_failing(pool: Any, at: datetime) -> list[Stopped]:
    """Pause the journeys whose messages fail; those it has paused.

    Everybody may look, as often as they like: a journey that is paused is left as it is. One that somebody lets
    go on between the look and the pause is not paused for what was before.
    """
    stopped: list[Stopped] = []
    for row in await sql.fetch(
        pool, "failing_journeys", since=at - WINDOW, fewest=FEWEST, one_in=ONE_IN
    ):
        why = _why(row)
        paused = await sql.fetch(
            pool,
            "stop_failing",
            slug=row["slug"],
            watched_from=row["watched_from"],
            at=at,
            why=why,
        )
        if paused:
            versions = tuple(sorted(one["version"] for one in paused))
            stopped.append(Stopped(row["slug"], versions, why))
    return stopped


def _why(row: Any) -> str:
    """Nobody's name and no address: it goes into logs."""
    reasons = ((row["refused"], "refused"), (row["in_doubt"], "in doubt"), (row["unfit"], UNFIT))
    failed = sum(number for number, _ in reasons)
    all_ = failed + row["accepted"]
    of = " and ".join(f"{number} {said}" for number, said in reasons if number)
    return f"{failed} of {all_} messages failed within an hour ({of})"
