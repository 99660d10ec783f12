"""What kinds of things the variables of a Liquid text may be, as far as it can be told before there is data."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from liquid.builtin.expressions.logical import BooleanExpression
from liquid.builtin.expressions.primitive import (
    Blank,
    Empty,
    FalseLiteral,
    FloatLiteral,
    IntegerLiteral,
    Nil,
    RangeLiteral,
    StringLiteral,
    TrueLiteral,
)
from liquid.expression import Expression

from caravan.journeys.fields import FieldCatalog, FieldType

What = Literal[
    "text", "number", "boolean", "instant", "list", "loop", "row", "nothing", "any", "given"
]


@dataclass(frozen=True)
class Kind:
    """What a value is, and whether it may be empty (``null``).

    any: a text, a number or whatever else has no parts. given: what a fragment is given, which is told where it
    is taken in.
    """

    what: What
    null: bool = False
    items: What = "any"  # of a list
    within: int = 0  # so many loops is a loop in

    @property
    def comparable(self) -> str | None:
        """What it has an order with; None: with nothing."""
        return {"text": "text", "number": "number", "boolean": "number"}.get(self.what)


ANY = Kind("any", null=True)
GIVEN = Kind("given", null=True)
TEXT, NUMBER = Kind("text"), Kind("number")
NOTHING = Kind("nothing", null=True)

KindOf = Callable[[tuple[str, ...]], Kind]

_NUMBER_FILTERS = frozenset(
    {
        "abs", "at_least", "at_most", "ceil", "divided_by", "floor", "minus", "modulo", "plus",
        "round", "times", "size", "sum",
    }
)  # fmt: skip
_LIST_FILTERS = frozenset(
    {"sort", "sort_natural", "reverse", "uniq", "compact", "concat", "map", "where", "reject"}
)
_ITEM_FILTERS = frozenset({"first", "last", "find"})
_LITERALS: dict[type[Expression], Kind] = {
    StringLiteral: TEXT,
    IntegerLiteral: NUMBER,
    FloatLiteral: NUMBER,
    TrueLiteral: Kind("boolean"),
    FalseLiteral: Kind("boolean"),
    BooleanExpression: Kind("boolean"),
    Nil: NOTHING,
    RangeLiteral: Kind("list", items="number"),
    Empty: ANY,
    Blank: ANY,
}


def of_literal(expression: Expression) -> Kind:
    """The kind of what stands in a text as it is."""
    return _LITERALS.get(type(expression), ANY)


def behind_filter(name: str, left: Kind, arguments: list[Kind]) -> Kind:
    """What a filter gives."""
    if name in _NUMBER_FILTERS:
        return NUMBER
    if name == "split":
        return Kind("list", items="text")
    if name in _LIST_FILTERS:
        # of something alone they make a list of it; what else comes in, nobody has looked at
        same = left.what == "list" and name not in ("concat", "map")
        return Kind("list", items=left.items if same else "any")
    if name in _ITEM_FILTERS:
        return of_item(left) if left.what == "list" else ANY
    if name == "default":
        other = arguments[0] if arguments else TEXT
        return joined(replace(left, null=False), other)
    if name == "has":
        return Kind("boolean")
    if name == "slice" and left.what == "list":
        return left
    if name == "date":  # what is no date stays what it is
        return left if left.what in ("text", "nothing") else replace(TEXT, null=left.null)
    return TEXT


def of_item(collection: Kind) -> Kind:
    """The kind of what a list has, if it has anything."""
    return Kind(collection.items, null=True)


def joined(one: Kind, other: Kind) -> Kind:
    """What is the one or the other."""
    if one.what == "nothing" or other.what == "nothing":
        return replace(other if one.what == "nothing" else one, null=True)
    if one.what != other.what or one.within != other.within:
        return ANY
    items = one.items if one.items == other.items else "any"
    return replace(one, null=one.null or other.null, items=items)


_FIELDS: dict[FieldType, What] = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "date": "text",
    "datetime": "text",
}
_OF_GROUPS: dict[str, What] = {
    "completeness": "number", "engagement": "number", "qualified": "boolean",
}  # fmt: skip


#: roots without fields of their own
PLAIN = ("now", "unsubscribe_link", "view_link", "postal_address")


def of_fields(catalog: FieldCatalog) -> KindOf:
    """The kinds of what a text takes from outside: an empty field is null."""

    def kind_of(segments: tuple[str, ...]) -> Kind:
        root, field = segments[0], ".".join(segments[1:])
        if root in ("account", "person"):
            written = catalog.of("account" if root == "account" else "person").get(field)
            return ANY if written is None else Kind(_FIELDS[written], null=True)
        if root == "buying_group":
            return Kind(_OF_GROUPS.get(field, "text"), null=True)
        if root == "now":
            return Kind("instant")
        if root in PLAIN or root == "my":
            return replace(TEXT, null=root != "my")
        return (
            Kind("loop") if root == "forloop" else GIVEN
        )  # of a fragment, taken in for each of a list

    return kind_of


def in_words(kind: Kind) -> str:
    """What it is, for who wrote the text."""
    return {
        "text": "a text", "number": "a number", "boolean": "true or false", "instant": "an instant",
        "list": "a list", "loop": "a loop", "row": "a loop", "nothing": "nothing",
    }.get(kind.what, "a text or a number")  # fmt: skip
