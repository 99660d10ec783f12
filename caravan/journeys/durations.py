"""Durations as people write them: ``3 days``."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

Unit = Literal["seconds", "minutes", "hours", "days", "weeks", "months"]

_WRITTEN = re.compile(r"([+-]?)([1-9][0-9]{0,9}) (second|minute|hour|day|week|month)s?")


class Span(BaseModel):
    """So many of a unit; negative only where a moment is moved (``plus: -30 days``)."""

    model_config = ConfigDict(frozen=True)

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count} {self.unit}"

    @property
    def calendar(self) -> bool:
        """Whether it keeps the local clock time, which takes a zone to say."""
        return self.unit in ("days", "weeks", "months")

    def __neg__(self) -> "Span":
        return Span(count=-self.count, unit=self.unit)


def parse_duration(text: str, *, signed: bool = False) -> Span | None:
    """``N seconds|minutes|hours|days|weeks|months`` (singular too), N whole and at least 1.

    Returns:
        None where the text is no duration.
    """
    match = _WRITTEN.fullmatch(text.strip())
    if match is None or (match[1] and not signed):
        return None
    count = int(match[2])
    return Span.model_validate(
        {"count": -count if match[1] == "-" else count, "unit": f"{match[3]}s"}
    )


def duration_of(text: str) -> Span:
    """A duration that was read before and kept as text.

    Raises:
        ValueError: the text is no duration.
    """
    span = parse_duration(text)
    if span is None:
        raise ValueError(f"{text!r} is no duration")
    return span


def _read(signed: bool) -> BeforeValidator:
    def read(raw: object) -> object:
        if not isinstance(raw, str):
            if isinstance(raw, Span | dict):
                return raw
            raise ValueError("bad-duration")
        span = parse_duration(raw, signed=signed)
        if span is None:
            raise ValueError("bad-duration")
        return span

    return BeforeValidator(read)


_write = PlainSerializer(str, return_type=str)

Duration = Annotated[Span, _read(signed=False), _write]
SignedDuration = Annotated[Span, _read(signed=True), _write]
