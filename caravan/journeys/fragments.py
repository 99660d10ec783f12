"""Fragments: parts of mails that templates share, files of their own in a folder ``fragments``.

A template takes one along by ``{% render 'hero', title: account.name %}``. The reader of MJML and the
inliner of CSS must see the mail whole, and a published plan must hold all of it, so the part is put in
the tag's place when the template is compiled: as a block that keeps a scope of its own, as ``render``
does. It sees ``person``, ``account`` and the other tokens, and what it was given by name; nothing that
the template has assigned.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TextIO

from liquid import Environment, RenderContext
from liquid.ast import BlockNode, Node
from liquid.builtin.drops import IterableDrop
from liquid.builtin.expressions import StringLiteral
from liquid.builtin.tags.for_tag import ForLoop
from liquid.builtin.tags.render_tag import RenderNode, RenderTag
from liquid.parser import get_parser
from liquid.stream import TokenStream
from liquid.token import TOKEN_EOF, TOKEN_TAG
from liquid.utils import ReadOnlyChainMap

from caravan.journeys.lines import Lines
from caravan.journeys.shield import pieces_of

#: the folder whose files are fragments, wherever it lies
FOLDER = "fragments"
#: a fragment may take in others, which take in none (product.md §5.2)
MOST_NESTED = 2

_TAG, _END = "fragment", "endfragment"
_RENDER = re.compile(
    r"""\{%(-?)\s*render\s+(["'])(?P<name>[^"']*)\2(?P<rest>.*?)(-?)%\}""", re.DOTALL
)


@dataclass(frozen=True)
class Taken:
    """A place where a text takes in a fragment: ``start`` to ``end`` of it, on a line from 1."""

    name: str
    start: int
    end: int
    line: int


def takes(text: str) -> list[Taken]:
    """The fragments that a text takes in, in order; not those in comments and raw blocks."""
    lines = Lines(text)
    return [
        Taken(match["name"], start, end, lines.of(start))
        for start, end in pieces_of(text)
        if (match := _RENDER.fullmatch(text[start:end]))
    ]


@dataclass(frozen=True)
class Expanded:
    """A text with its fragments in place."""

    text: str
    _origins: tuple[
        tuple[int, str | None, int], ...
    ]  # from this place on: of which text, from where

    def origin(self, line: int, texts: Mapping[str | None, str]) -> tuple[str | None, int]:
        """Which fragment a line (from 1) comes from, None the text itself, and its line there."""
        starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        at = starts[min(max(line, 1), len(starts)) - 1]
        begin, name, there = next(one for one in reversed(self._origins) if one[0] <= at)
        return name, texts[name].count("\n", 0, there + at - begin) + 1


def expand(text: str, fragments: Mapping[str, str]) -> Expanded:
    """Put the fragments that a text takes in where it takes them in, and theirs in them.

    All of them are there, nested no deeper than ``MOST_NESTED``: that was checked.
    """
    pieces: list[str] = []
    origins: list[tuple[int, str | None, int]] = []
    length = 0

    def add(piece: str, name: str | None, start: int) -> None:
        nonlocal length
        if piece:
            origins.append((length, name, start))
            pieces.append(piece)
            length += len(piece)

    def put(body: str, name: str | None, depth: int) -> None:
        at = 0
        for taken in takes(body):
            if depth == MOST_NESTED or taken.name not in fragments:
                continue
            add(body[at : taken.start], name, at)
            match = _RENDER.fullmatch(body[taken.start : taken.end])
            assert match is not None
            add(
                f"{{%{match[1]} {_TAG} {match[2]}{taken.name}{match[2]}{match['rest']}%}}",
                name,
                taken.start,
            )
            put(fragments[taken.name], taken.name, depth + 1)
            add(f"{{% {_END} {match[5]}%}}", name, taken.start)
            at = taken.end
        add(body[at:], name, at)

    put(text, None, 0)
    return Expanded("".join(pieces), tuple(origins) or ((0, None, 0),))


def parameters(given: RenderNode) -> set[str]:
    """What a fragment is given by name where it is taken in."""
    names = {str(argument.name) for argument in given.args}
    if given.var is not None:
        names.add(bound_as(given))
        if given.loop:
            names.add("forloop")
    return names


def bound_as(node: RenderNode) -> str:
    """By which name a fragment knows what it is given with ``with`` or ``for``."""
    assert isinstance(node.name, StringLiteral)
    return str(node.alias or node.name.value)


class FragmentNode(RenderNode):
    """What ``render`` does, with the text at hand: ``block``."""

    __slots__ = ("block",)
    tag = _TAG
    block: BlockNode

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        given: dict[str, object] = {one.name: one.value.evaluate(context) for one in self.args}
        scope = context.copy(ReadOnlyChainMap(given), carry_loop_iterations=True)
        if self.var is None:
            return self.block.render(scope, buffer)
        value, name = self.var.evaluate(context), bound_as(self)
        if not self.loop or not isinstance(value, tuple | list | IterableDrop):
            given[name] = value
            return self.block.render(scope, buffer)
        scope.raise_for_loop_limit(len(value))
        above = context.env.undefined("parentloop", token=self.token)
        forloop = ForLoop(name=name, it=iter(value), length=len(value), parentloop=above)
        given["forloop"] = forloop
        written = 0
        for one in forloop:
            given[name] = one
            written += self.block.render(scope, buffer)
        return written

    def children(
        self, static_context: RenderContext, *, include_partials: bool = True
    ) -> Iterable[Node]:
        return [self.block]


class _FragmentTag(RenderTag):
    """``{% fragment 'hero', title: x %}…{% endfragment %}``: the compiler's own, nobody writes it."""

    name = _TAG
    block = True
    end = _END
    node_class = FragmentNode

    def parse(self, stream: TokenStream) -> Node:
        node = super().parse(stream)
        assert isinstance(node, FragmentNode)
        next(stream)  # past the expression
        node.block = get_parser(self.env).parse_block(stream, (_END, TOKEN_EOF))
        stream.expect(TOKEN_TAG, value=_END)
        return node


def know_fragments(environment: Environment) -> None:
    """Have an environment read expanded texts."""
    environment.add_tag(_FragmentTag)
