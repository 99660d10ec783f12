"""Figures of reports in words, the same on a terminal and on a page."""

from caravan.reports.journey import VariantNode
from caravan.reports.significance import Arm


def counted(number: int, one: str, many: str) -> str:
    """``1 person``, ``2 people``."""
    return f"{number} {one if number == 1 else many}"


def rate(share: float | None) -> str | None:
    """A share in per cent, with one decimal."""
    return None if share is None else f"{100 * share:.1f} %"


def with_rate(count: int, share: float | None) -> str:
    """``12 (4.8 %)``; a rate of nothing is not told."""
    return str(count) if share is None else f"{count} ({rate(share)})"


def interval_in_words(arm: Arm) -> str | None:
    """The rates that 95 % confidence leaves."""
    interval = arm.interval()
    return None if interval is None else f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f} %"


def verdict_in_words(node: VariantNode) -> str:
    """What may be concluded of a variant node."""
    if node.verdict.p is None:
        return "too few to tell the paths apart"
    chance = "less than 0.1 %" if node.verdict.p < 0.001 else f"{100 * node.verdict.p:.1f} %"
    said = "the paths differ" if node.verdict.differs else "no difference is shown"
    return f"{said}: chance alone would give as much in {chance} of cases ({node.verdict.test})"
