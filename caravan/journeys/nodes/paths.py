"""Paths of a node: what all that have some share.

A path's name keys the ledger and the counters, so no two of a node may have the same.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from caravan.journeys.conditions.model import Condition
from caravan.journeys.control import Target
from caravan.journeys.nodes.base import target
from caravan.journeys.reading import Fields, JourneyScope

#: the name of what no path takes
OTHERWISE = "otherwise"


class Labelled(BaseModel):
    """A path of any kind."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str | None = None


class Path(Labelled):
    """A path, taken where its condition is the first, from the top, to be met."""

    when: Condition


AnyPath = TypeVar("AnyPath", bound=Labelled)


class Leading(Protocol):
    """A path that accounts leave the node by."""

    @property
    def next(self) -> str | None: ...

    @property
    def end(self) -> str | None: ...


def numbered_edges(paths: Sequence[Leading]) -> dict[str, Target]:
    """Where the paths lead, by their numbers from 1."""
    return {str(number): target(path.next, path.end) for number, path in enumerate(paths, start=1)}


def labels(paths: Sequence[Labelled]) -> dict[str, str]:
    """The labels of those that have one, by the same numbers."""
    return {str(number): path.label for number, path in enumerate(paths, start=1) if path.label}


def names(paths: Sequence[Labelled]) -> list[str]:
    """What the paths are called: by their labels; without one, by their numbers from 1."""
    return [path.label or str(number) for number, path in enumerate(paths, start=1)]


def read_paths(
    fields: Fields,
    scope: JourneyScope,
    read: Callable[[Fields, JourneyScope], AnyPath | None],
) -> tuple[AnyPath, ...] | None:
    """The key ``paths``; None where any of them is wrong."""
    found = [
        read(fields.within(raw, "paths", number), scope)
        for number, raw in enumerate(fields.items("paths"))
    ]
    if not found:
        fields.problem("missing-key", None, "a split needs at least one path")
    if len(found) > fields.limits.split_paths:
        fields.problem(
            "too-many-paths",
            "paths",
            f"a split has at most {fields.limits.split_paths} paths, not {len(found)} "
            + fields.limits.over("split_paths"),
        )
    paths = tuple(path for path in found if path is not None)
    if len(paths) < len(found):
        return None
    refuse_same_names(fields, [*names(paths), OTHERWISE])
    return paths


def refuse_same_names(fields: Fields, taken: Sequence[str]) -> None:
    """Report names that more than one path bears."""
    for name in sorted({name for name in taken if taken.count(name) > 1}):
        fields.problem("duplicate-label", "paths", _twice(name))


def _twice(name: str) -> str:
    if name == OTHERWISE:
        return f"{OTHERWISE} is the name of what no path takes; label the path something else"
    return f"two paths are named {name} (a path without a label is named by its number)"
