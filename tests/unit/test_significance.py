"""Whether paths differ: against values of tables and properties that hold for all."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caravan.reports.significance import Arm, compare

arms = st.integers(0, 400).flatmap(lambda n: st.builds(Arm, st.just(n), st.integers(0, n)))


def test_lady_tasting_tea() -> None:
    """Fisher's own table: three of four right, p = 34/70."""
    assert compare([Arm(4, 3), Arm(4, 1)]).p == pytest.approx(34 / 70)


@pytest.mark.parametrize(
    ("one", "other", "p"),
    [
        (Arm(10, 1), Arm(10, 9), 202 / 184756),  # hypergeometric: 2 × (100 + 1) tables of C(20, 10)
        (Arm(5, 5), Arm(5, 0), 2 / 252),
        (Arm(3, 0), Arm(3, 3), 2 / 20),
        (Arm(7, 3), Arm(7, 3), 1.0),
    ],
)
def test_exact_test_counts_tables(one: Arm, other: Arm, p: float) -> None:
    assert compare([one, other]).p == pytest.approx(p)


@pytest.mark.parametrize(
    ("statistic_of", "p"),
    [
        # critical values of chi-square with 2 and 3 degrees of freedom at 5 %: 5.991, 7.815
        (3, 0.05),
        (4, 0.05),
    ],
)
def test_more_paths_by_chi_square(statistic_of: int, p: float) -> None:
    """One path is moved away from equal others until the statistic is the critical value."""
    critical = {3: 5.991464547, 4: 7.814727903}[statistic_of]
    number = 40_000
    # paths at share 1/2 but two that are d above and below it: statistic = 2 n d² / (1/4)
    d = math.sqrt(critical / 8 / number)
    moved = round(number * d)
    paths = [
        Arm(number, number // 2 + moved),
        Arm(number, number // 2 - moved),
        *[Arm(number, number // 2)] * (statistic_of - 2),
    ]
    assert compare(paths).p == pytest.approx(p, rel=0.02)


def test_few_on_many_paths_say_nothing() -> None:
    assert compare([Arm(6, 1), Arm(6, 5), Arm(6, 2)]).p is None


@given(arms, arms)
def test_order_of_paths_does_not_matter(one: Arm, other: Arm) -> None:
    assert compare([one, other]).p == compare([other, one]).p or compare(
        [one, other]
    ).p == pytest.approx(compare([other, one]).p)


@given(arms, arms)
def test_exact_p_is_a_probability_and_equal_paths_never_differ(one: Arm, other: Arm) -> None:
    p = compare([one, other]).p
    assert p is None or 0 < p <= 1
    same = compare([one, one])
    assert not same.differs


@given(arms)
def test_interval_holds_the_rate(arm: Arm) -> None:
    interval = arm.interval()
    if arm.rate is None:
        assert interval is None
    else:
        assert interval is not None
        assert 0 <= interval[0] <= arm.rate + 1e-12
        assert arm.rate - 1e-12 <= interval[1] <= 1


def test_interval_is_wilsons() -> None:
    """20 of 40: 0.3521 to 0.6479 (Newcombe 1998, table I gives such figures for his examples)."""
    low, high = Arm(40, 20).interval() or (0, 0)
    assert (round(low, 4), round(high, 4)) == (0.352, 0.648)
