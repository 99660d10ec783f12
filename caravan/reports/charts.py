"""Charts as SVG, for a page that needs nothing but itself: lines over days, bars beside names."""

from collections.abc import Sequence
from datetime import date
from html import escape

WIDTH, HEIGHT = 760, 240
LEFT, BOTTOM, TOP, RIGHT = 46, 26, 12, 12
BAR, GAP, NAMES = 20, 8, 190


def lines(days: Sequence[date], series: Sequence[tuple[str, Sequence[int]]]) -> str:
    """Counts that grow over days; each series is drawn in the class of its name."""
    if not days:
        return ""
    first, most = days[0], max(1, *(max(values) for _, values in series))
    span = max(1, (days[-1] - first).days)

    def x(day: date) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (day - first).days / span

    def y(count: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - count / most)

    parts = []
    for tick in _ticks(most):
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
            f'<text class="tick" x="{LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:,}</text>'
        )
    for day, anchor in ((days[0], "start"), (days[-1], "end")):
        parts.append(
            f'<text class="tick" x="{x(day):.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">{day}</text>'
        )
    for name, values in series:
        # counts stand still between two days on which something happened
        path = f"M{x(days[0]):.1f},{y(values[0]):.1f}"
        path += "".join(
            f"H{x(day):.1f}V{y(count):.1f}" for day, count in zip(days[1:], values[1:], strict=True)
        )
        parts.append(
            f'<path class="line {name}" d="{path}"/>'
            f'<circle class="dot {name}" cx="{x(days[-1]):.1f}" cy="{y(values[-1]):.1f}" r="3.5"/>'
        )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Counts by day">'
        f"{''.join(parts)}</svg>"
    )


def bars(rows: Sequence[tuple[str, int, str]]) -> str:
    """One bar a row: its name, how long it is, and what is written behind it."""
    most = max((count for _, count, _ in rows), default=0) or 1
    parts = []
    for number, (name, count, words) in enumerate(rows):
        top = number * (BAR + GAP)
        width = (WIDTH - NAMES - 150) * count / most
        parts.append(
            f'<text class="name" x="{NAMES - 10}" y="{top + 15}" text-anchor="end">{escape(_short(name))}'
            f"<title>{escape(name)}</title></text>"
            f'<rect class="bar" x="{NAMES}" y="{top}" width="{max(width, 1):.1f}" height="{BAR}" rx="3"/>'
            f'<text class="words" x="{NAMES + max(width, 1) + 8:.1f}" y="{top + 15}">{escape(words)}</text>'
        )
    height = len(rows) * (BAR + GAP)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Counts">{"".join(parts)}</svg>'
    )


def intervals(rows: Sequence[tuple[str, float | None, tuple[float, float] | None, str]]) -> str:
    """One rate a row, with the interval it is in; the scale ends at the largest upper end."""
    most = max((interval[1] for _, _, interval, _ in rows if interval), default=1.0) or 1.0
    room = WIDTH - NAMES - 190
    parts = []
    for number, (name, share, interval, words) in enumerate(rows):
        middle = number * (BAR + GAP) + BAR / 2
        parts.append(
            f'<text class="name" x="{NAMES - 10}" y="{middle + 5:.1f}" text-anchor="end">{escape(_short(name))}'
            f"<title>{escape(name)}</title></text>"
        )
        if share is not None and interval is not None:
            low, high = (NAMES + room * end / most for end in interval)
            parts.append(
                f'<line class="interval" x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}"/>'
                f'<circle class="dot completed" cx="{NAMES + room * share / most:.1f}" cy="{middle}" r="4.5"/>'
            )
        parts.append(
            f'<text class="words" x="{NAMES + room + 12}" y="{middle + 5:.1f}">{escape(words)}</text>'
        )
    height = len(rows) * (BAR + GAP)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Rates">{"".join(parts)}</svg>'
    )


def _ticks(most: int) -> list[int]:
    """Some round numbers from 0 on that do not go beyond the most."""
    steps = (factor * 10**power for power in range(20) for factor in (1, 2, 5))
    step = next(step for step in steps if most / step <= 5)
    return list(range(0, most + 1, step))


def _short(name: str) -> str:
    return name if len(name) <= 26 else name[:25] + "…"
