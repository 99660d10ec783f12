"""Moving to another version, as a pure step."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from caravan.journeys.moving import composed, move, why_it_stays
from caravan.journeys.state import State

NAMES = st.sampled_from("abcd")
MAPS = st.dictionaries(NAMES, NAMES, max_size=4)
STATES = st.builds(
    lambda visits, at, step: State(
        step_no=step, position=at, visits={**visits, at: visits.get(at, 1)}, arrived_at=ARRIVED
    ),
    st.dictionaries(NAMES, st.integers(1, 5), max_size=4),
    NAMES,
    st.integers(1, 50),
)
ARRIVED = datetime(2026, 3, 2, tzinfo=UTC)


@given(STATES, MAPS)
def test_move_is_a_step_that_keeps_the_arrival(state: State, renamed: dict[str, str]) -> None:
    assert state.position is not None
    behind = move(state, renamed)
    assert behind.step_no == state.step_no + 1
    assert behind.position == renamed.get(state.position, state.position)
    assert behind.arrived_at == state.arrived_at
    assert behind.visits.keys() >= state.visits.keys()


@given(STATES, MAPS)
def test_no_visit_is_taken_for_one_that_was_before(state: State, renamed: dict[str, str]) -> None:
    """What was done at (node, visit) is keyed so: behind a move no earlier pair comes again."""
    behind = move(state, renamed)
    assert behind.position is not None
    for node, count in state.visits.items():
        assert behind.visits[node] >= count
    if behind.position != state.position:
        assert behind.visits[behind.position] > state.visits.get(behind.position, 0)


@given(STATES)
def test_without_a_map_visits_stay_as_they_are(state: State) -> None:
    assert move(state, {}).visits == state.visits


@given(MAPS, MAPS, NAMES)
def test_maps_compose(before: dict[str, str], then: dict[str, str], node: str) -> None:
    name = before.get(node, node)
    # of a node that the first map does not name, the second may speak by its name of then
    assert composed(before, then).get(node, node) == then.get(name, name)


def test_why_an_account_stays_is_said_with_both_types() -> None:
    kinds = {"a": "wait", "b": "split_people"}
    assert why_it_stays(kinds, {"a": "wait"}, "a", {}) is None  # type: ignore[arg-type]
    assert why_it_stays(kinds, {}, "a", {"a": "x"}) == "the new version has no node x"  # type: ignore[arg-type]
    why = why_it_stays(kinds, {"b": "split_accounts"}, "b", {})  # type: ignore[arg-type]
    assert why == "b is split: accounts in the new version, split: people in this"


def test_swaps_to_and_fro_add_one_visit_each() -> None:
    state = State(step_no=1, position="a", visits={"a": 1}, arrived_at=ARRIVED)
    for number in range(1, 51):
        state = move(state, {"a": "b", "b": "a"})
        assert max(state.visits.values()) <= number + 1
