"""Asking a reader what it reads: it is run on made-up mappings until it asks for nothing new.

So the schema of the documents is what the readers themselves say and cannot part from them. A reader is
any function that takes ``Fields``; every key it asks for is noted with what it was asked for as, and with
whether a strange key beside it would be refused.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from caravan.journeys.problems import Path, Severity
from caravan.journeys.reading import Fields

#: a key that nobody knows
STRANGE = "strange key"
#: where a list's first item, or a mapping's strange key, stands in a path
ITEM = 0

Variant = Literal["text", "mapping", "list"]
VARIANTS: tuple[Variant, ...] = ("text", "mapping", "list")


@dataclass
class Mapping:
    """What is read of one mapping: by key, as what; ``open``: strange keys are taken."""

    kinds: dict[str, set[str]] = field(default_factory=dict)
    needed: set[str] = field(default_factory=set)
    open: bool = False


Read = dict[Path, Mapping]


def probe(read: Callable[[Fields], object], given: dict[str, Any]) -> Read:
    """What a reader reads, by the path of each mapping it opens.

    Args:
        read: the reader.
        given: keys with values that it needs to be itself, such as ``split: people``.
    """
    found: Read = {}
    for variant in VARIANTS:
        before = None
        while before != _size(found):
            before = _size(found)
            watch = _Watch()
            read(Fields({**_sample(found, (), variant), **given}, (), watch))
            watch.add_to(found)
    return found


class _Watch:
    """A report that keeps every mapping that was opened, and minds strange keys alone."""

    def __init__(self) -> None:
        self._opened: list[Fields] = []
        self._refused: set[Path] = set()

    def opened(self, fields: Fields) -> None:
        self._opened.append(fields)

    def __call__(
        self, code: str, path: Path, message: str, *, severity: Severity = "error"
    ) -> None:
        if code == "unknown-key" and path[-1] == STRANGE:
            self._refused.add(path[:-1])

    def add_to(self, found: Read) -> None:
        for fields in self._opened:
            if not isinstance(fields.raw, dict) or STRANGE not in fields.raw:
                found.setdefault(fields.path, Mapping(open=False))
            mapping = found.setdefault(fields.path, Mapping())
            if STRANGE in fields.raw:
                mapping.open = fields.path not in self._refused
            for key, kind in fields.kinds.items():
                mapping.kinds.setdefault(key, set()).add(kind)
            mapping.needed |= fields.needed


def _size(found: Read) -> int:
    return sum(1 + sum(map(len, mapping.kinds.values())) for mapping in found.values())


def _sample(found: Read, path: Path, variant: Variant) -> dict[str, Any]:
    """A mapping that has all the keys known so far, and a strange one."""
    keys = found[path].kinds if path in found else {}
    sample = {key: _value(found, (*path, key), kinds, variant) for key, kinds in keys.items()}
    return {STRANGE: "x", **sample}


def _value(found: Read, path: Path, kinds: set[str], variant: Variant) -> Any:
    if "items" in kinds:
        return [_sample(found, (*path, ITEM), variant)]
    if "mapping" in kinds:
        return {STRANGE: _sample(found, (*path, STRANGE), variant)}
    if "inner" in kinds and kinds == {"inner"}:
        return _sample(found, path, variant)
    match variant:
        case "text":
            return "x"
        case "mapping":
            return _sample(found, path, variant)
        case "list":
            return [_sample(found, (*path, ITEM), variant)]
