"""A simulation as a whole: from what is asked to the trace and its summary."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from caravan.simulation.run import Asked, Progress, Ran, run
from caravan.simulation.summary import summarise
from caravan.simulation.throw_away import throw_away_pair
from caravan.simulation.trace import TraceLine, read_trace


@dataclass(frozen=True)
class Told:
    """What a run came to."""

    ran: Ran
    lines: Sequence[TraceLine]
    summary: dict[str, Any]


async def simulate(dsn: str, asked: Asked, progress: Progress = lambda _: None) -> Told:
    """Simulate a journey on a throw-away pair of stores, and read its trace.

    Args:
        dsn: a database in which schemas may be made and dropped.
        asked: what to simulate.
        progress: told now and then how far it is.

    Raises:
        BadLines: a line speaks of an account or a person that is not there.
    """
    async with throw_away_pair(dsn) as pair:
        ran = await run(pair, asked, progress)
        lines = await read_trace(pair, ran)
    return Told(ran, lines, summarise(ran, lines))
