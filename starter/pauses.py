"""Why a journey is paused, in words."""

from collections.abc import Mapping
from typing import Any

from starter.output import cell


def paused_in_words(version: Mapping[str, Any]) -> str | None:
    """Of a version's row; None where it is not paused."""
    if version["paused_at"] is None:
        return None
    why = version["paused_why"]
    by = f" because its messages fail: {why}" if version["paused_by"] == "failures" else ""
    return f"paused since {cell(version['paused_at'])}{by}"
