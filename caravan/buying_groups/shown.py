"""How a score is shown: whole, rounded half up; what is stored and compared is exact."""

from decimal import ROUND_HALF_UP, Decimal


def shown(score: Decimal) -> int:
    """66.67 is shown as 67, 0.5 as 1 (product.md §3.7)."""
    return int(score.to_integral_value(ROUND_HALF_UP))
