"""Whether paths differ by more than chance: exact where numbers are small. Pure.

Two paths are compared by Fisher's exact test (two-sided: all tables at most as likely as the one seen), more
by Pearson's chi-square, which wants at least five expected successes and failures on each path (Cochran
1954). An interval of a rate is Wilson's (1927).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

#: beyond this many the exact test says nothing that chi-square does not
MOST_EXACT = 20_000
FEWEST_EXPECTED = 5.0
LEVEL = 0.05


@dataclass(frozen=True)
class Arm:
    """What came of one path: ``successes`` of ``number``."""

    number: int
    successes: int

    @property
    def rate(self) -> float | None:
        return self.successes / self.number if self.number else None

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """The rates that the numbers are compatible with."""
        if not self.number:
            return None
        z = NormalDist().inv_cdf(0.5 + confidence / 2)
        n, share = self.number, self.successes / self.number
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Verdict:
    """``p``: how likely a difference at least as large is by chance alone; None: too few to say."""

    p: float | None
    test: str

    @property
    def differs(self) -> bool:
        return self.p is not None and self.p < LEVEL


def compare(arms: Sequence[Arm]) -> Verdict:
    """Whether these paths differ; those that nobody took do not count."""
    taken = [arm for arm in arms if arm.number]
    number, successes = sum(a.number for a in taken), sum(a.successes for a in taken)
    if len(taken) < 2 or successes in (0, number):
        return Verdict(None, "none")
    if len(taken) == 2 and number <= MOST_EXACT:
        return Verdict(_fisher(*taken), "fisher")
    share = successes / number
    if min(a.number for a in taken) * min(share, 1 - share) < FEWEST_EXPECTED:
        return Verdict(None, "chi-square")
    statistic = sum(
        (arm.successes - arm.number * share) ** 2 / (arm.number * share * (1 - share))
        for arm in taken
    )
    return Verdict(_chi_square_beyond(statistic, len(taken) - 1), "chi-square")


def _fisher(one: Arm, other: Arm) -> float:
    number, successes = one.number + other.number, one.successes + other.successes

    def likelihood(k: int) -> float:
        return (
            _log_choose(one.number, k)
            + _log_choose(other.number, successes - k)
            - _log_choose(number, successes)
        )

    seen = likelihood(one.successes)
    ways = range(max(0, successes - other.number), min(one.number, successes) + 1)
    # as likely to the last digits a float has: the table seen counts, and its mirror
    return min(
        1.0,
        sum(
            math.exp(way) for way in map(likelihood, ways) if way <= seen + 1e-9 * abs(seen) + 1e-12
        ),
    )


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _chi_square_beyond(statistic: float, freedom: int) -> float:
    """The upper tail of chi-square: finite sums, for whole degrees of freedom (Abramowitz & Stegun 26.4.4-5)."""
    half = statistic / 2
    if freedom % 2 == 0:
        term = total = math.exp(-half)
        for j in range(1, freedom // 2):
            term *= half / j
            total += term
        return total
    total = math.erfc(math.sqrt(half))
    term = math.exp(-half) * math.sqrt(half) / math.gamma(1.5)
    for j in range((freedom - 1) // 2):
        total += term
        term *= half / (j + 1.5)
    return total
