"""Moving an account to another version of its journey, as a pure step.

It goes on at the node of the same name, or of the name that a node map gives, and keeps its arrival and its
visits. What it rested for is asked anew there. No clock or I/O.
"""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from caravan.journeys import core
from caravan.journeys.control import ControlPlan, NodeKind
from caravan.journeys.state import State

#: the kind of the step that a move is
MIGRATE = "migrate"

#: what nodes are called in the other version, where not the same
Renamed = Mapping[str, str]


class Moved(BaseModel):
    """The step of a move: told to the workflow, which goes on from its state, and kept for people."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    step_no: int
    at: datetime
    node: str = ""  # where it stood, by the name it had there; empty: it had not begun
    version: int  # the one it moved to
    left: str = ""  # the hash of the plan it left
    state: State  # right behind the move


def why_it_stays(
    kinds: Mapping[str, NodeKind], there: Mapping[str, NodeKind], node: str, renamed: Renamed
) -> str | None:
    """Why an account at a node cannot move; None where it can.

    Args:
        kinds: of the nodes of its version.
        there: of the nodes of the other one.
        node: where it stands.
        renamed: the node map.
    """
    name = renamed.get(node, node)
    if name not in there:
        return f"the new version has no node {name}"
    if there[name] != kinds[node]:
        return (
            f"{name} is {in_words(there[name])} in the new version, {in_words(kinds[node])} in this"
        )
    return None


def why_it_may_stay_behind(
    plan: ControlPlan, there: ControlPlan, node: str, renamed: Renamed
) -> str | None:
    """Why an account that first finishes a node may not move behind it; None where it can in any case."""
    behind = {target.node: None for target in plan.nodes[node].edges.values() if target.node}
    found = {
        name: why
        for name in behind
        if (why := why_it_stays(kinds_of(plan), kinds_of(there), name, renamed))
    }
    if not found:
        return None
    if len(behind) == 1:
        return f"behind {node}: {', '.join(found.values())}"
    return "; ".join(f"if it comes to {name} behind {node}: {why}" for name, why in found.items())


def in_words(kind: NodeKind) -> str:
    """A type of node as documents spell it: ``split: accounts``."""
    return kind.replace("_", ": ")


def kinds_of(plan: ControlPlan) -> dict[str, NodeKind]:
    """The type of each node."""
    return {name: node.kind for name, node in plan.nodes.items()}


def move(state: State, renamed: Renamed) -> State:
    """The state right behind the move of an account that stands at a node; the move is a step.

    A renamed node keeps its count of visits under its new name, and the old name keeps it too: what was done
    at a visit is never mistaken for another's, also where a name has come to mean another node. Where an
    account has been at both, the larger count goes on; only at the node it stands at the visit gets a number
    that neither has used.
    """
    assert state.position is not None
    visits = dict(state.visits)
    for node, count in state.visits.items():
        name = renamed.get(node, node)
        if name != node:
            used = state.visits.get(name, 0)
            stands = node == state.position and used > 0
            visits[name] = max(visits.get(name, 0), count, used + stands)
    return state.model_copy(
        update={
            "step_no": state.step_no + 1,
            "position": renamed.get(state.position, state.position),
            "segment": 0,
            "visits": visits,
            "pending": None,
        }
    )


def begin_there(plan: ControlPlan, entered_at: datetime) -> State:
    """The state of an account that moves before it has begun: it begins by the other version."""
    state = core.begin(plan, entered_at)
    return state.model_copy(update={"step_no": state.step_no + 1})


def composed(before: Renamed, then: Renamed) -> dict[str, str]:
    """Two node maps, one behind the other, as one."""
    names = {node: then.get(name, name) for node, name in before.items()}
    names |= {node: name for node, name in then.items() if node not in before}
    return {node: name for node, name in names.items() if node != name}
