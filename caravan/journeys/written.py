"""Scalars as a document wrote them: numbers that still know their text, and texts a store can keep."""


class WrittenInt(int):
    """A whole number that knows how it was written (``0420``)."""

    text: str


class WrittenFloat(float):
    """A number that knows how it was written."""

    text: str


def as_written(value: object) -> str:
    """A scalar's text: ``0420`` keeps its nought, ``true`` is a word, nothing is empty."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(getattr(value, "text", value))


def shown(value: object) -> str:
    """Any value as a message names it, in the words of the document and not of Python."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return as_written(value) or "nothing"


def storable(text: str) -> bool:
    """Whether a store can keep a text: no NUL, and no half of a surrogate pair (``"\\uD800"``)."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
