"""The core: whatever edges an account takes, both drivers agree and nothing is decided twice."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from caravan.journeys import core
from caravan.journeys.compiler import compile_journey
from caravan.journeys.control import BEYOND, ControlNode, ControlPlan, Segment, Target
from caravan.journeys.plan import control_plan
from caravan.journeys.state import Outcome, State
from caravan.journeys.workspace import load_workspace

AT = datetime(2026, 6, 1, tzinfo=UTC)
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "grid-analytics"
_workspace = load_workspace(EXAMPLE, AT)
PLANS = {slug: control_plan(compile_journey(_workspace, slug).plan) for slug in _workspace.journeys}
PLANS["round"] = ControlPlan(
    start="a",
    nodes={
        "a": ControlNode(kind="wait", edges={"next": Target(node="b")}),
        "b": ControlNode(
            kind="variants_people",
            segments=(Segment.STORE, Segment.SEND),
            edges={"next": Target(node="a"), BEYOND: Target(node="exit:1")},
            most_visits=2,
        ),
        "exit:1": ControlNode(
            kind="exit", segments=(Segment.STORE,), edges={"next": Target(node="a")}
        ),
    },
    exits={"exit:1": Target(node="exit:1"), "exit:out": Target(reason="exit", label="out")},
)


def walk(plan: ControlPlan, choices: list[int]) -> tuple[list[Outcome], list[State]]:
    state = core.begin(plan, AT)
    outcomes, states = [], [state]
    for number, choice in enumerate(choices):
        command = core.next_command(plan, state)
        if command is None:
            break
        node = plan.nodes[command.node]
        edge: str | None = None
        until = None
        if command.kind in ("wait", "listen") and state.pending is None:
            until = AT + timedelta(days=choice)
        elif command.kind in ("store", "send") and command.segment + 1 < len(node.segments):
            edge = None
        else:
            edges = sorted(node.edges | plan.exits)
            edge = edges[choice % len(edges)]
        outcome = Outcome(
            step_no=state.step_no,
            command=command,
            edge=edge,
            until=until,
            at=AT + timedelta(hours=number),
        )
        outcomes.append(outcome)
        state = core.apply(plan, state, outcome)
        states.append(state)
    return outcomes, states


@given(st.sampled_from(sorted(PLANS)), st.lists(st.integers(0, 5), max_size=40))
def test_replaying_any_prefix_gives_the_same_state(slug: str, choices: list[int]) -> None:
    plan = PLANS[slug]
    outcomes, states = walk(plan, choices)
    for length in range(len(outcomes) + 1):
        state = core.begin(plan, AT)
        for outcome in outcomes[:length]:
            # a continued run starts from the state's JSON
            state = core.apply(plan, State.model_validate_json(state.model_dump_json()), outcome)
        assert state == states[length]
        assert state.step_no == length + 1


@given(st.sampled_from(sorted(PLANS)), st.lists(st.integers(0, 5), max_size=40))
def test_an_outcome_is_taken_once(slug: str, choices: list[int]) -> None:
    plan = PLANS[slug]
    outcomes, states = walk(plan, choices)
    for outcome, after in zip(outcomes, states[1:], strict=True):
        try:
            core.apply(plan, after, outcome)
        except core.StepsDisagree:
            continue
        raise AssertionError("the same outcome was taken twice")


@given(st.sampled_from(sorted(PLANS)), st.lists(st.integers(0, 5), max_size=40))
def test_ended_traversal_asks_for_nothing(slug: str, choices: list[int]) -> None:
    plan = PLANS[slug]
    _, states = walk(plan, choices)
    for state in states:
        assert (core.next_command(plan, state) is None) == (state.ended is not None)


def looped(most: int | None, beyond: Target | None = None) -> ControlPlan:
    """a → b → a …, with a limit of visits at b."""
    edges = {"next": Target(node="a")} | ({BEYOND: beyond} if beyond else {})
    return ControlPlan(
        start="a",
        nodes={
            "a": ControlNode(kind="wait", edges={"next": Target(node="b")}),
            "b": ControlNode(kind="wait", edges=edges, most_visits=most),
            "out": ControlNode(kind="wait", edges={"next": Target(reason="completed")}),
        },
    )


def go_round(plan: ControlPlan, times: int) -> State:
    state = core.begin(plan, AT)
    for _ in range(times):
        command = core.next_command(plan, state)
        if command is None:
            break
        state = core.apply(
            plan, state, Outcome(step_no=state.step_no, command=command, edge="next", at=AT)
        )
    return state


def test_who_comes_too_often_goes_elsewhere_or_leaves() -> None:
    state = go_round(looped(3, Target(node="out")), 7)
    assert (state.position, state.visits) == ("out", {"a": 4, "b": 3, "out": 1})
    state = go_round(looped(3, Target(reason=BEYOND)), 100)
    assert state.ended is not None
    assert (state.ended.reason, state.ended.node) == ("max-visits", "b")


def test_nodes_that_send_each_other_on_for_good_let_the_account_leave() -> None:
    plan = looped(1, Target(node="a"))
    nodes = {**plan.nodes, "a": plan.nodes["a"].model_copy(update={"most_visits": 1, "edges": {**plan.nodes["a"].edges, BEYOND: Target(node="b")}})}  # fmt: skip
    state = go_round(plan.model_copy(update={"nodes": nodes}), 10)
    assert state.ended is not None
    assert state.ended.reason == "max-visits"
