"""Decisions that lines say: which one an account that stands at a ``decide`` takes, and when.

No model is asked in virtual time. A line counts for the first arrival of its account at its node that comes by then or
has come at most so long before as a model may take; whom no line decides for takes ``otherwise`` at once.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from caravan.campaigns.deciding import WITHIN
from caravan.journeys.nodes.decide import Decide
from caravan.journeys.nodes.paths import OTHERWISE, names
from caravan.journeys.plan import Plan
from caravan.simulation.lines import Answer, Line

#: the type of a line that says one
DECISION = "decision"


@dataclass(frozen=True)
class Decision:
    at: datetime
    path: str


class Decisions:
    """Those that are not taken yet, by account and node, in the order they are said."""

    def __init__(self, lines: Iterable[Line], deadline: datetime) -> None:
        self._deadline = deadline
        self._left: dict[tuple[str, str], list[Decision]] = defaultdict(list)
        for line in sorted(lines, key=lambda line: line.at):
            match line.what:
                case Answer(type="decision", account=account, node=node, path=str(path)):
                    self._left[account, node].append(Decision(line.at, path))

    def take(self, account: str, node: str, arrived_at: datetime) -> Decision | None:
        """The decision for an account that has just arrived at a node; None: nobody decides."""
        left = self._left.get((account, node))
        if not left or left[0].at > arrived_at + WITHIN or left[0].at >= self._deadline:
            return None
        return left.pop(0)


def unfit(plan: Plan, answer: Answer) -> str | None:
    """Why an account cannot take what a line decides; None where it can."""
    node = plan.nodes[answer.node]
    if answer.type != DECISION or not isinstance(node, Decide):
        return None
    known = [*names(node.paths), OTHERWISE]
    if answer.path in known:
        return None
    if answer.path is None:
        return f"a decision says its path: one of {', '.join(known)}"
    return f"{answer.node} has no path {answer.path} (there are {', '.join(known)})"
