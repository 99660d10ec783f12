"""The page of a simulation: how a graph is placed, and that no data can leave its place in it."""

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from caravan.simulation.instants import read_instant, written
from caravan.simulation.layout import lay_out, settle


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], list[tuple[str, str]]]:
    """Any graph, cycles and loops among its edges."""
    names = [f"v{number}" for number in range(draw(st.integers(1, 9)))]
    pairs = [(tail, head) for tail in names for head in names]
    return names, draw(st.lists(st.sampled_from(pairs), unique=True, max_size=20))


@given(graphs())
def test_every_vertex_has_a_place_of_its_own_and_edges_lead_down(
    graph: tuple[list[str], list[tuple[str, str]]],
) -> None:
    names, edges = graph
    layout = lay_out(names, edges, names[0])
    assert layout.places.keys() == set(names)
    rows: dict[int, list[float]] = {}
    for column, row in layout.places.values():
        rows.setdefault(row, []).append(column)
    for columns in rows.values():
        columns.sort()
        gaps = [later - earlier for earlier, later in pairwise(columns)]
        assert all(gap > 0.99 for gap in gaps)
    for tail, head in edges:
        if (tail, head) not in layout.backward and tail != head:
            down = layout.places[head][1] - layout.places[tail][1]
            assert down >= 1
            assert len(layout.bends[(tail, head)]) == down - 1


@given(graphs())
def test_the_same_graph_is_placed_the_same_way(
    graph: tuple[list[str], list[tuple[str, str]]],
) -> None:
    names, edges = graph
    assert lay_out(names, edges, names[0]) == lay_out(names, edges, names[0])


@given(st.lists(st.tuples(st.floats(0.1, 50), st.floats(-500, 500)), min_size=1, max_size=12))
def test_words_pushed_apart_keep_their_order_and_their_widths(
    some: list[tuple[float, float]],
) -> None:
    some.sort(key=lambda one: one[1])
    widths, wanted = [width for width, _ in some], [place for _, place in some]
    places = settle(widths, wanted)
    for number in range(1, len(places)):
        apart = (widths[number - 1] + widths[number]) / 2
        assert places[number] - places[number - 1] >= apart - 1e-6


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_is_written_to_the_millisecond(at: datetime) -> None:
    text = written(at)
    assert text.endswith("Z")
    assert ("." in text) == (at.microsecond >= 1000)
    read = read_instant(text, None)
    assert read is not None
    assert 0 <= (at - read).total_seconds() < 0.001


def test_a_time_after_the_beginning_is_on_the_local_clock() -> None:
    begin = datetime(2026, 3, 28, 8, tzinfo=UTC)  # the night after, Swedish clocks go forward
    assert read_instant("+1 day", begin, "Europe/Stockholm") == datetime(2026, 3, 29, 7, tzinfo=UTC)
    assert read_instant("+1 day", begin) == datetime(2026, 3, 29, 8, tzinfo=UTC)
    assert read_instant("+1 day", None) is None
