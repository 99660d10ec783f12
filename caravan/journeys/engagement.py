"""How engaged people and buying groups are: the published formula, in small exact steps.

The rule is product.md §3.8 with what it leaves open fixed: weights are taken relative to the largest of
the types that occurred (``w' = w / max w``), ``scaled(x) = min(1, x / p99)``. The store computes the same
in SQL (``caravan/engage/sql/engagement.sql``); this is what it is tested against and explained by. No
rounding before the end: points are whole, raw sums are fractions, scores have six places.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

#: places of a stored score
PLACES = Decimal("0.000001")
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)


def counted(count: int, daily_cap: int) -> int:
    """How many occurrences of a type on a day count."""
    return min(count, daily_cap)


def points(days: Iterable[tuple[str, int]], weights: Mapping[str, int], daily_cap: int) -> int:
    """``Σ_day Σ_a min(count, cap) · w``, in whole weights.

    Args:
        days: for each type and day of the window, the type and how often it was done.
        weights: of the types in use; others count nothing.
        daily_cap: the most of a type that counts on a day.
    """
    return sum(counted(count, daily_cap) * weights.get(kind, 0) for kind, count in days)


def raw_of_person(points: int, heaviest: int | None) -> Fraction:
    """``raw_p``: the points in relative weights (step 3)."""
    return Fraction(points, heaviest) if heaviest else Fraction(0)


def role_shares(weights: Mapping[str, int]) -> dict[str, Fraction]:
    """``ρ_r``: each role's weight over those of the roles that somebody fills.

    Args:
        weights: the weights of the roles with a member; one the template no longer has weighs 0.
    """
    total = sum(weights.values())
    return {role: Fraction(weight, total or 1) for role, weight in weights.items()}


def raw_of_group(
    members: Iterable[tuple[str, Decimal]], shares: Mapping[str, Fraction]
) -> Fraction:
    """``raw_g = Σ S_p · ρ``, over members as (role, score)."""
    return sum((Fraction(score) * shares[role] for role, score in members), Fraction(0))


def root(raw: Fraction) -> Decimal:
    """``sqrt(raw)``, which lets one very active person not drown the rest (step 4)."""
    return _EXACT.sqrt(_EXACT.divide(Decimal(raw.numerator), Decimal(raw.denominator)))


def score(raw: Fraction, p99: Decimal | None) -> Decimal:
    """``100 · min(1, sqrt(raw) / p99)``, a person's or a group's.

    With one entity that has anything, its own root is the 99th percentile and it scores 100. Where
    nobody has anything there is no percentile, and everybody scores 0.
    """
    if p99 is None:
        return Decimal(0).quantize(PLACES)
    share = min(Decimal(1), _EXACT.divide(root(raw), p99))
    return (100 * share).quantize(PLACES, rounding=ROUND_HALF_UP, context=_EXACT)
