"""Reading a node: its kind is told by its leading key."""

from types import ModuleType

from caravan.journeys.conditions.parse import nearest
from caravan.journeys.nodes import (
    Node,
    call,
    decide,
    do,
    listen,
    split_accounts,
    split_people,
    variants_accounts,
    variants_people,
    wait,
)
from caravan.journeys.reading import Fields, JourneyScope

KINDS: dict[str, ModuleType] = {"do": do, "wait": wait, "listen": listen, "call": call}
#: nodes that are of accounts or of people, by their leading key
OF: dict[str, dict[str, ModuleType]] = {
    "split": {"accounts": split_accounts, "people": split_people},
    "variants": {"accounts": variants_accounts, "people": variants_people},
    "decide": {"accounts": decide},
}
#: keys of some kind of node that are no kind themselves, however near they are to one (``with`` to ``wait``)
_OF_ANY = frozenset(
    {"label", "zone", "next", "end", "max_visits", "paths", "otherwise", "timeout", "look_back", "of",
     "with", "failed"}
)  # fmt: skip


def read_node(fields: Fields, scope: JourneyScope) -> Node | None:
    """A node; None where anything in it is wrong."""
    kind = _kind(fields)
    if kind is None:
        return None
    node: Node | None = kind.read(fields, scope)
    return node


def _kind(fields: Fields) -> ModuleType | None:
    for key, kinds in OF.items():
        if key in fields.raw:
            by = fields.raw[key]
            kind = kinds.get(by) if isinstance(by, str) else None
            if kind is None:
                fields.problem("bad-value", key, f"{key} takes {' or '.join(kinds)}")
            return kind
    for key, kind in KINDS.items():
        if key in fields.raw:
            return kind
    misspelt = {key: nearest(key, [*KINDS, *OF]) for key in fields.raw if key not in _OF_ANY}
    for key, hint in misspelt.items():
        if hint:
            fields.problem("unknown-key", key, f"no key {key} here{hint}")
    if fields.fine:
        fields.problem("missing-key", None, f"a node is one of {', '.join([*KINDS, *OF])}")
    return None
