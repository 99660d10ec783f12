"""What a server's count of tokens is taken for."""

from hypothesis import given
from hypothesis import strategies as st

from caravan.ai.metered import MOST_BELIEVED, counted

MOST = st.integers(1, 1_000_000)


@given(st.integers() | st.floats(), MOST)
def test_count_is_never_below_nothing_nor_far_above_what_was_reserved(
    count: float, most: int
) -> None:
    assert 0 <= counted(count, most) <= MOST_BELIEVED * most


@given(st.integers(0), st.integers(0), MOST)
def test_who_says_more_never_costs_less(count: int, more: int, most: int) -> None:
    assert counted(count, most) <= counted(count + more, most)


@given(MOST, st.data())
def test_count_that_can_be_is_believed(most: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, MOST_BELIEVED * most))
    assert counted(count, most) == count
