"""The core: a journey as a pure machine of commands and outcomes.

Two drivers run it: the workflow, which has outcomes brought by activities, timers and signals, and
the stretch (``caravan.campaigns``), which decides them inside a transaction. Both feed it the same
outcomes and so agree on every position. No clock, randomness or I/O.
"""

from datetime import datetime

from caravan.journeys import nodes
from caravan.journeys.control import ControlPlan, Target
from caravan.journeys.state import Command, Ended, Outcome, Pending, State


class StepsDisagree(Exception):
    """An outcome does not answer the command that is open: two drivers have parted."""


def begin(plan: ControlPlan, at: datetime) -> State:
    """The state of an account that has just entered."""
    return _arrive(State(), plan.start, at)


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
    state = state.model_copy(update={"step_no": state.step_no + 1})
    at = outcome.at or state.arrived_at
    assert at is not None
    if outcome.edge is not None:
        return leave(state, nodes.lead(plan.nodes[command.node], outcome.edge), at)
    if outcome.until is not None:
        return state.model_copy(update={"pending": Pending(asked_at=at, until=outcome.until)})
    return state.model_copy(update={"segment": state.segment + 1, "pending": None})


def leave(state: State, target: Target, at: datetime) -> State:
    """Follow an edge: to the next node, or out of the journey."""
    if target.node is not None:
        return _arrive(state, target.node, at)
    ended = Ended(
        reason=target.reason or "completed", label=target.label, node=state.position or ""
    )
    return state.model_copy(
        update={"position": None, "segment": 0, "pending": None, "ended": ended}
    )


def _arrive(state: State, node: str, at: datetime) -> State:
    visits = {**state.visits, node: state.visits.get(node, 0) + 1}
    return state.model_copy(
        update={
            "position": node,
            "segment": 0,
            "visits": visits,
            "arrived_at": at,
            "pending": None,
        }
    )
