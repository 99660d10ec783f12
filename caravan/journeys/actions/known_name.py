"""A key that names something of the workspace: it must be there."""

from collections.abc import Collection

from caravan.journeys.conditions.scope import nearest
from caravan.journeys.reading import Fields


def read_known_name(fields: Fields, key: str, known: Collection[str], what: str) -> str | None:
    """The name, whether or not it is known.

    Args:
        fields: the action's.
        key: names it, and its code: ``unknown-KEY``.
        known: the names there are.
        what: it is, in the words of the problem.
    """
    name = fields.text(key)
    if name is None:
        fields.required(key)
    elif name not in known:
        fields.problem(f"unknown-{key}", key, f"no {what} {name}{nearest(name, known)}")
    return name
