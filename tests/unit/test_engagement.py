"""The published formula, step by step."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from caravan.journeys import engagement


def test_worked_example_of_the_unnormalised_form() -> None:
    """product.md §3.8: Vital, Important and Normal; 37 visits count 20, 15 count 15."""
    shares = engagement.role_shares({"vital": 100, "important": 80, "normal": 60})
    assert shares == {
        "vital": Fraction(5, 12),
        "important": Fraction(1, 3),
        "normal": Fraction(1, 4),
    }
    assert engagement.counted(37, 20) + engagement.counted(15, 20) == 35
    totals = [("vital", Decimal(52)), ("important", Decimal(28)), ("normal", Decimal(17))]
    assert engagement.raw_of_group(totals, shares) == Fraction("35.25")


def test_points_are_relative_to_the_heaviest_weight() -> None:
    assert engagement.raw_of_person(30, 40) == Fraction(3, 4)


def test_points_are_capped_by_type_and_day() -> None:
    days = [("visit", 37), ("visit", 15), ("open", 25), ("unknown", 9)]
    assert engagement.points(days, {"visit": 2, "open": 1}, 20) == (20 + 15) * 2 + 20


def test_one_entity_scores_all_of_it() -> None:
    raw = engagement.raw_of_person(3, 2)
    assert engagement.score(raw, engagement.root(raw)) == 100


def test_nobody_has_anything() -> None:
    assert engagement.raw_of_person(0, None) == 0
    assert engagement.score(Fraction(7), None) == 0
    assert engagement.role_shares({}) == {}
    assert engagement.role_shares({"gone": 0}) == {"gone": 0}


@given(st.integers(0, 10**9), st.integers(1, 100), st.integers(1, 10**6))
def test_score_stays_between_nothing_and_a_hundred_and_grows_with_points(
    points: int, heaviest: int, more: int
) -> None:
    p99 = Decimal("41.5")
    less = engagement.score(engagement.raw_of_person(points, heaviest), p99)
    greater = engagement.score(engagement.raw_of_person(points + more, heaviest), p99)
    assert 0 <= less <= greater <= 100
