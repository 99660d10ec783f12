"""The core: a journey as a pure machine of commands and outcomes.

Two drivers run it: the workflow, which has outcomes brought by activities, timers and signals, and
the stretch (``caravan.campaigns``), which decides them inside a transaction. Both feed it the same
outcomes and so agree on every position. No clock, randomness or I/O.
"""

from datetime import datetime
from typing import Any

from caravan.journeys import nodes
from caravan.journeys.control import BEYOND, ControlPlan, Target
from caravan.journeys.reasons import ExitReason
from caravan.journeys.state import Command, Ended, Outcome, Pending, State


class StepsDisagree(Exception):
    """An outcome does not answer the command that is open: two drivers have parted."""


def begin(plan: ControlPlan, at: datetime) -> State:
    """The state of an account that has just entered."""
    entering = State()
    return entering.model_copy(update=_arrived(plan, entering, plan.start, at))


def next_command(plan: ControlPlan, state: State) -> Command | None:
    """What the account's node asks for now; None when the traversal has ended."""
    if state.position is None:
        return None
    node = plan.nodes[state.position]
    return nodes.ask(node, state.position, state.visits[state.position], state.segment)


def apply(plan: ControlPlan, state: State, outcome: Outcome) -> State:
    """The state after an outcome.

    Raises:
        StepsDisagree: the outcome is not the next one, or answers another command.
    """
    command = next_command(plan, state)
    if command is None or outcome.step_no != state.step_no or outcome.command != command:
        raise StepsDisagree(f"step {outcome.step_no} answers {outcome.command}, open is {command}")
    changed = _answered(plan, state, outcome)
    return state.model_copy(update={"step_no": state.step_no + 1, **changed})


def leave(plan: ControlPlan, state: State, target: Target, at: datetime) -> State:
    """Follow an edge: to the next node, or out of the journey."""
    return state.model_copy(update=_left(plan, state, target, at))


def _answered(plan: ControlPlan, state: State, outcome: Outcome) -> dict[str, Any]:
    """What an outcome changes of the state."""
    at = outcome.at or state.arrived_at
    assert at is not None
    if outcome.edge is not None:
        node = plan.nodes[outcome.command.node]
        to = plan.exits.get(outcome.edge) or node.edges[outcome.edge]
        return _left(plan, state, to, at)
    if outcome.until is not None:
        since = state.pending.asked_at if state.pending is not None else at
        rest = Pending(asked_at=since, until=outcome.until, look_at=outcome.look_at)
        return {"pending": rest}
    return {"segment": state.segment + 1, "pending": None}


def _left(plan: ControlPlan, state: State, target: Target, at: datetime) -> dict[str, Any]:
    if target.node is not None:
        return _arrived(plan, state, target.node, at)
    return _ended(target, state.position or "")


def _ended(target: Target, node: str) -> dict[str, Any]:
    ended = Ended(reason=target.reason or ExitReason.COMPLETED, label=target.label, node=node)
    return {"position": None, "segment": 0, "pending": None, "ended": ended}


def _arrived(plan: ControlPlan, state: State, node: str, at: datetime) -> dict[str, Any]:
    """Come to a node, or to where those go who have been there too often."""
    passed: list[str] = []
    while _too_often(plan, state, node):
        beyond = plan.nodes[node].edges[BEYOND]
        if beyond.node is None or beyond.node in passed:
            # nodes that send each other on for good: nobody could ever arrive
            return _ended(
                beyond if beyond.node is None else Target(reason=ExitReason.MAX_VISITS), node
            )
        passed.append(node)
        node = beyond.node
    return {
        "position": node,
        "segment": 0,
        "visits": {**state.visits, node: state.visits.get(node, 0) + 1},
        "arrived_at": at,
        "pending": None,
    }


def _too_often(plan: ControlPlan, state: State, node: str) -> bool:
    most = plan.nodes[node].most_visits
    return most is not None and state.visits.get(node, 0) >= most
