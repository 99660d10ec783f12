"""Liquid before it is rendered: which variables a text uses, checked against the fields that exist.

What is found here cannot fail at send: an unknown variable is a problem of validation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from liquid import Environment, StrictUndefined
from liquid.exceptions import LiquidError

from caravan.journeys.conditions.parse import nearest
from caravan.journeys.fields import FieldCatalog

#: roots without fields of their own
PLAIN = ("now", "unsubscribe_link", "view_link", "postal_address")

_environment = Environment(undefined=StrictUndefined)


@dataclass(frozen=True)
class Used:
    """A variable a text uses, and the line (from 1) it is used on."""

    segments: tuple[str, ...]
    line: int

    def __str__(self) -> str:
        return ".".join(self.segments)


class BadLiquid(Exception):
    """The text is no Liquid."""

    def __init__(self, line: int, message: str) -> None:
        self.line = line
        self.message = message
        super().__init__(message)


def has_liquid(text: str) -> bool:
    """Whether a text has Liquid in it at all."""
    return "{{" in text or "{%" in text


def variables(text: str) -> list[Used]:
    """The variables a text takes from outside, in order.

    Raises:
        BadLiquid: it cannot be parsed.
    """
    try:
        analysis = _environment.from_string(text).analyze()
    except LiquidError as error:
        line = text.count("\n", 0, error.token.start_index) + 1 if error.token else 1
        raise BadLiquid(line, str(error).splitlines()[0]) from None
    found = [
        (variable.span.index, tuple(str(segment) for segment in variable.segments))
        for used in analysis.globals.values()
        for variable in used
    ]
    return [
        Used(segments, text.count("\n", 0, max(index, 0)) + 1) for index, segments in sorted(found)
    ]


def problem_of(
    used: Used, catalog: FieldCatalog, *, person: bool, my: Mapping[str, str] | None
) -> str | None:
    """Why a variable cannot be used, or None. ``my`` None: tokens are not checked here."""
    root, rest = used.segments[0], used.segments[1:]
    roots = ["account", "my", *PLAIN, *(["person"] if person else [])]
    if root not in roots:
        return f"no variable {root}{nearest(root, roots)}"
    if root in PLAIN:
        return None if not rest else f"{root} has no parts"
    if root == "my":
        if len(rest) != 1:
            return "my takes a token: my.webinar"
        if my is not None and rest[0] not in my:
            return f"the journey has no token {rest[0]}{nearest(rest[0], my)}"
        return None
    fields = catalog.of("person" if root == "person" else "account")
    if len(rest) != 1 or rest[0] not in fields:
        name = ".".join(rest) or "(nothing)"
        return f"{root} has no field {name}{nearest(name, fields)}"
    return None


def problems_of_text(
    text: str, catalog: FieldCatalog, *, person: bool, my: Mapping[str, str] | None = None
) -> Iterator[tuple[str, str]]:
    """The problems of an action's text, as (code, message)."""
    try:
        for used in variables(text):
            message = problem_of(used, catalog, person=person, my=my)
            if message is not None:
                yield "unknown-variable", message
    except BadLiquid as error:
        yield "bad-value", f"not Liquid: {error.message}"
