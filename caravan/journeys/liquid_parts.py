"""The parts of kinds: what a loop goes over, and what ``name.part`` and ``name[0]`` are, or why there is none."""

from collections.abc import Iterator
from dataclasses import replace

from liquid.builtin.expressions import Path

from caravan.journeys.conditions.parse import nearest
from caravan.journeys.liquid_kinds import ANY, GIVEN, NUMBER, TEXT, Kind, in_words, of_item

_OF_LOOPS = frozenset(
    {"name", "length", "index", "index0", "rindex", "rindex0", "first", "last", "parentloop"}
)
_OF_ROWS = frozenset(
    {"length", "index", "index0", "rindex", "rindex0", "first", "last", "col", "col0", "col_first",
     "col_last", "row"}
)  # fmt: skip


def each_of(kind: Kind) -> Kind:
    """What a loop goes over: a text is gone over once, as a whole."""
    match kind.what:
        case "list":
            return replace(of_item(kind), null=kind.items == "any")
        case "text":
            return TEXT
        case "given":
            return GIVEN
    return ANY


def part_of(kind: Kind, part: object, index: Kind | None) -> Kind | None:
    """What a part is, by its name or its number; None: there is none."""
    match kind.what:
        case "loop" if part == "parentloop":
            return Kind("loop", within=kind.within - 1) if kind.within else None
        case "loop" | "row":
            return next(_kinds_of_loop_parts(kind, part), None)
        case "list" | "given":
            if part == "size":
                return NUMBER
            if part in ("first", "last") or isinstance(part, int) or index == NUMBER:
                return of_item(kind) if kind.what == "list" else GIVEN
        case "text" if part == "size" and not kind.null:
            return NUMBER
    return None


def _kinds_of_loop_parts(kind: Kind, part: object) -> Iterator[Kind]:
    if part in (_OF_LOOPS if kind.what == "loop" else _OF_ROWS):
        if part in ("first", "last", "col_first", "col_last"):
            yield Kind("boolean")
        else:
            yield TEXT if part == "name" else NUMBER


def no_part(path: Path, root: str, kind: Kind, part: object) -> str:
    """Why there is no such part, and what to write instead."""
    if kind.what in ("loop", "row"):
        known = _OF_LOOPS if kind.what == "loop" else _OF_ROWS
        return f"{root} has no {part}{nearest(part, sorted(known - {'parentloop'}))}"
    if kind.what in ("list", "given"):
        return f"{path}: of a list there are first, last, size and numbered items, no {part}"
    remedy = f": write {root} | {part}" if part in ("size", "first", "last") else ""
    return f"{path}: {root} is {in_words(kind)} and has no part {part}{remedy}"
