"""How good proposed journeys are: valid at all, and made of what the brief asks for."""

from datetime import UTC, datetime
from pathlib import Path

from caravan.ai.asking import Asker
from caravan.ai.journey_building import Proposal, propose
from caravan.journeys.cross_checks import actions_of
from caravan.journeys.workspace import load_workspace
from evaluations.cases import Case
from evaluations.evaluation import Score

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
WORKSPACE = Path(__file__).parents[1] / "examples" / "grid-analytics"


async def builds(asker: Asker, case: Case) -> Score:
    """Half the points for a journey that is valid with its workspace, the rest for what its case asks for."""
    proposal = await propose(asker, load_workspace(WORKSPACE, AT), case["brief"], at=AT)
    missing = _missing(case, proposal)
    asked = max(1, sum(len(case.data.get(key, [])) for key in ("nodes", "actions", "mentions")) + 1)
    return Score(1.0 - 0.5 * min(1.0, len(missing) / asked), "; ".join(missing))


def _missing(case: Case, proposal: Proposal) -> list[str]:
    journey = proposal.workspace.journeys[proposal.journey]
    kinds = {node.kind for node in journey.nodes.values()}
    actions = {action.kind for action in actions_of(journey)}
    text = "\n".join(proposal.files.values()).casefold()
    missing = [f"no node {kind}" for kind in case.data.get("nodes", []) if kind not in kinds]
    missing += [f"no action {kind}" for kind in case.data.get("actions", []) if kind not in actions]
    missing += [
        f"nothing of {' or '.join(words)}"
        for words in case.data.get("mentions", [])
        if not any(word.casefold() in text for word in words)
    ]
    audience = case.data.get("audience")
    if audience is not None and journey.audience != audience:
        missing.append(f"the audience is {journey.audience}, not {audience}")
    return missing
