"""A person's persona, and what it was told from."""

from typing import Any


def persona_told(row: Any) -> dict[str, Any]:
    """The persona for programs, with score and nearest alternatives; all null of who is not in the Platform."""
    if row is None:
        return {"persona": None, "score": None, "unclear": False, "read": False, "alternatives": []}
    return {
        "persona": row["persona"],
        "score": None if row["score"] is None else round(row["score"], 4),
        "unclear": bool(row["unclear"]),
        "read": row["is_read"],
        "alternatives": row["alternatives"] or [],
    }


def persona_in_words(told: dict[str, Any]) -> str:
    """The same in a line."""
    first, *others = told["alternatives"] or [None]
    if first is None:
        return f"persona {told['persona']}"
    rest = "".join(f", {one['persona']} {one['score']:.3f}" for one in others)
    name = told["persona"] or "none"
    unclear = " (unclear)" if told["unclear"] else ""
    return f"persona {name}{unclear}: nearest to {first['example']}, {first['persona']} {first['score']:.3f}{rest}"
