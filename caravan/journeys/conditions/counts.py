"""Counts: whole numbers that every database parameter which takes them can hold."""

from caravan.journeys.problems import Path, Report

MOST = 2**31 - 1


def read_count(
    raw: dict[str, object], key: str, default: int, path: Path, report: Report, *, least: int
) -> int | None:
    """A whole number, or its default where the key is absent; None where it is neither."""
    if key not in raw:
        return default
    count = raw[key]
    if isinstance(count, bool) or not isinstance(count, int) or not least <= count <= MOST:
        report(
            "bad-value", (*path, key), f"{key} takes a whole number of at least {least}, to {MOST}"
        )
        return None
    return int(count)
