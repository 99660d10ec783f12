"""How well a model chooses a path: the one that the facts speak for, or none at all where they speak for none."""

from datetime import UTC, datetime

from caravan.ai.asking import Asker
from caravan.ai.deciding import choose
from caravan.ai.path_choice import PathQuestion
from caravan.campaigns.decision_facts import Facts
from caravan.journeys.nodes.decide import USUAL_CONFIDENCE
from caravan.journeys.nodes.paths import OTHERWISE
from evaluations.cases import Case
from evaluations.evaluation import Score

#: when it is asked; the facts count from then
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


async def decides(asker: Asker, case: Case) -> Score:
    """All points for the path that fits, half for being too unsure of it; where none fits, for being unsure."""
    question = PathQuestion(case["paths"], Facts.model_validate(case["facts"]))
    choice = await choose(asker, question, AT)
    unsure = choice.confidence < USUAL_CONFIDENCE
    told = f"{choice.path} at {choice.confidence:.2f}: {choice.reason}"
    if case["expected"] == OTHERWISE:
        return Score(float(unsure), "" if unsure else f"no path fits, it said {told}")
    if choice.path != case["expected"]:
        return Score(0.0, f"expected {case['expected']}, it said {told}")
    return Score(0.5 if unsure else 1.0, f"too unsure: {told}" if unsure else "")
