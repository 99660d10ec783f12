"""What is evaluated, and how: the cases of a feature put to a model, each answer scored by the feature's own function."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from caravan.ai.asking import Asker
from caravan.ai.spending import calls_after, latest_calls
from caravan.ai.unanswered import Unanswered
from caravan.ai_settings import Feature
from caravan.database.pool import Pool
from evaluations.cases import FOLDER, Case, read_cases


@dataclass(frozen=True)
class Score:
    """How good an answer is: from 0, of no use, to 1, all that was wanted."""

    points: float
    why: str = ""  # what is missing, for whoever reads the scores


Scoring = Callable[[Asker, Case], Awaitable[Score]]


class Embedded(StrEnum):
    """What is evaluated and asks no model that is set: only the one that comes along."""

    PERSONAS = "personas"


@dataclass(frozen=True)
class Evaluation:
    """A feature's cases and its scoring function, which asks what the feature asks."""

    feature: Feature | Embedded
    score: Scoring
    cases_file: Path | None = None
    only: str | None = None
    """The name of a case; None: all of them."""

    @property
    def asks_a_model(self) -> bool:
        return isinstance(self.feature, Feature)

    @property
    def cases(self) -> list[Case]:
        every = read_cases(self.cases_file or FOLDER / f"{self.feature.value}.yaml")
        return [case for case in every if self.only in (None, case.name)]


@dataclass(frozen=True)
class Scored:
    """A case and what came of it."""

    case: str
    points: float
    why: str


@dataclass(frozen=True)
class Result:
    """A feature's scores and what they cost."""

    feature: Feature | Embedded
    cases: Sequence[Scored]
    calls: int
    tokens_in: int
    tokens_out: int
    cost: Decimal | None
    seconds: float

    @property
    def points(self) -> float:
        """The mean."""
        return sum(one.points for one in self.cases) / len(self.cases)


async def evaluate(
    evaluation: Evaluation,
    asker_of: Callable[[Case], Asker],
    engage: Pool,
    told: Callable[[Scored], None] = lambda _: None,
) -> Result:
    """Put every case to the model that its asker asks. A case without an answer has no points."""
    before = [one["call"] for one in await latest_calls(engage, 1)]
    scored = []
    for case in evaluation.cases:
        try:
            score = await evaluation.score(asker_of(case), case)
        except Unanswered as error:
            score = Score(0.0, str(error))
        scored.append(Scored(case.name, min(1.0, max(0.0, score.points)), score.why))
        told(scored[-1])
    spent = await calls_after(engage, *before)
    return Result(
        evaluation.feature,
        scored,
        spent["calls"],
        spent["tokens_in"],
        spent["tokens_out"],
        spent["cost"],
        spent["latency_ms"] / 1000,
    )
