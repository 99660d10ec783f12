"""A figure: what was measured, what it should be, and whether it is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Target:
    """The bound a figure should keep."""

    bound: Literal["at least", "at most"]
    value: float

    def met_by(self, value: float) -> bool:
        return value >= self.value if self.bound == "at least" else value <= self.value

    def __str__(self) -> str:
        return f"{self.bound} {self.value:g}"


@dataclass(frozen=True)
class Figure:
    """One measured number; ``detail`` says what it was made of."""

    name: str
    value: float
    target: Target | None = None
    unit: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "ok" if self.target.met_by(self.value) else "missed"


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: a value that was really measured, never one between two."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def significant(value: float, digits: int = 3) -> float:
    """Rounded for print: more digits than these are noise."""
    return float(f"{value:.{digits}g}")
