"""Liquid before it is rendered: which variables a text uses, checked against the fields that exist.

What is found here cannot fail at send: an unknown variable is a problem of validation.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from liquid import BoundTemplate, Environment, RenderContext, StrictUndefined
from liquid.ast import Node
from liquid.builtin.expressions import StringLiteral
from liquid.builtin.tags.render_tag import RenderNode
from liquid.exceptions import LiquidError

from caravan.journeys.conditions.parse import nearest
from caravan.journeys.fields import FieldCatalog
from caravan.journeys.fragments import know_fragments, parameters, takes
from caravan.journeys.lines import Lines
from caravan.journeys.liquid_kinds import PLAIN, of_fields
from caravan.journeys.liquid_sense import Nonsense, nonsense

#: all that a text may speak of; fragments may be given more, by other names
ROOTS = frozenset({"account", "person", "buying_group", "my", *PLAIN})

#: of the account's group for the solution interest that a mail names; `role` is the person's in it
GROUP_FIELDS = (
    "solution_interest", "stage", "status", "completeness", "engagement", "qualified", "role",
)  # fmt: skip

_written = Environment(undefined=StrictUndefined)
del _written.tags["include"]  # which shares its names with what includes it: `render` does not
_expanded = Environment(undefined=StrictUndefined)
know_fragments(_expanded)


#: with the blanks before and behind a tag's name, or an output's first word
_OPENINGS = re.compile(r"(?P<opening>\{\{|\{%)-?(?P<before>\s*)(?:(?:#|\w+)(?P<behind>\s*))?")


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


@dataclass(frozen=True)
class Rendered:
    """A fragment that a text takes in, and the names of what it gives it."""

    name: str
    line: int
    given: frozenset[str]


def variables(text: str) -> list[Used]:
    """The variables a text takes from outside, in order; it takes in no fragments.

    Raises:
        BadLiquid: it cannot be parsed.
    """
    used, rendered = body_variables(text)
    if rendered:
        raise BadLiquid(rendered[0].line, "only the body of a mail takes in fragments")
    return used


def body_variables(text: str) -> tuple[list[Used], list[Rendered]]:
    """The variables and the fragments that the body of a mail, or a fragment, takes in.

    Raises:
        BadLiquid: it cannot be parsed.
    """
    template = _parsed(_written, text)
    places = {(one.name, one.line) for one in takes(text)}
    rendered = []
    lines = Lines(text)
    for node in _render_nodes(template, text):
        line = lines.of(node.token.start_index)
        if not isinstance(node.name, StringLiteral):
            raise BadLiquid(line, "render takes the name of a fragment in quotes")
        if (node.name.value, line) not in places:
            raise BadLiquid(line, "render stands in a tag of its own: {% render 'name' %}")
        rendered.append(Rendered(node.name.value, line, frozenset(parameters(node))))
    return _outer(template, text), rendered


def expanded_variables(text: str) -> list[Used]:
    """The variables of a body with its fragments in place.

    Raises:
        BadLiquid: it cannot be parsed.
    """
    return _outer(_parsed(_expanded, text), text)


def nonsense_in(text: str, catalog: FieldCatalog, *, expanded: bool = False) -> list[Nonsense]:
    """What cannot be rendered of a text whose variables exist, in order.

    Args:
        text: that can be parsed.
        catalog: the fields that exist.
        expanded: whether its fragments are in place.

    Raises:
        BadLiquid: it cannot be parsed.
    """
    if not has_liquid(text):
        return []
    template = _parsed(_expanded if expanded else _written, text)
    return nonsense(template, text, of_fields(catalog))


#: openings without an end that a text may have where nobody minds, in comments
MOST_OPEN = 50
#: blanks where a tag or an output begins: the lexer tries each of them as its end
MOST_BLANKS = 100


def _parsed(environment: Environment, text: str) -> BoundTemplate:
    _check_ends(text)
    try:
        return environment.from_string(text)
    except RecursionError:
        raise BadLiquid(1, "tags are too deeply within each other") from None
    except LiquidError as error:
        line = Lines(text).of(error.token.start_index) if error.token else 1
        raise BadLiquid(line, str(error).splitlines()[0]) from None


def _check_ends(text: str) -> None:
    """Refuse what the lexer would look for the end of from every place anew: hours, for a long text.

    Raises:
        BadLiquid: an opening has no end, outside of blocks in which nobody minds.
    """
    last = {"{{": text.rfind("}}"), "{%": text.rfind("%}")}
    open_ones = []
    for match in _OPENINGS.finditer(text):
        blanks = len(match["before"]) + len(match["behind"] or "")
        if blanks > MOST_BLANKS:
            line = Lines(text).of(match.start())
            raise BadLiquid(line, f"more than {MOST_BLANKS} blanks behind '{match['opening']}'")
        if match.start() > last[match["opening"]]:
            open_ones += [match.start()] * (1 + blanks)  # from behind each blank it looks anew
    if len(open_ones) > MOST_OPEN:
        end = "}}" if text.startswith("{{", open_ones[0]) else "%}"
        raise BadLiquid(Lines(text).of(open_ones[0]), f"expected '{end}', found end of file")
    for block in ("raw", "doc"):
        begins = list(re.finditer(rf"\{{%-?\s*{block}\b", text))
        ends = [match.start() for match in re.finditer(rf"\{{%-?\s*end{block}\b", text)]
        unended = [one.start() for one in begins if not ends or one.start() > ends[-1]]
        if len(unended) > MOST_OPEN:
            raise BadLiquid(Lines(text).of(unended[0]), f"expected tag 'end{block}'")


def _outer(template: BoundTemplate, text: str) -> list[Used]:
    found = [
        (variable.span.index, tuple(str(segment) for segment in variable.segments))
        for used in template.analyze(include_partials=False).globals.values()
        for variable in used
    ]
    lines = Lines(text)
    return [Used(segments, lines.of(index)) for index, segments in sorted(found)]


def _render_nodes(template: BoundTemplate, text: str) -> list[RenderNode]:
    """The tags that take in fragments, in order."""
    if "render" not in text:
        return []
    context = RenderContext(template)
    found: list[RenderNode] = []
    left: list[Node] = list(template.nodes)
    while left:
        node = left.pop()
        if isinstance(node, RenderNode):
            found.append(node)
        left += node.children(context, include_partials=False)
    return sorted(found, key=lambda node: node.token.start_index)


def problem_of(
    used: Used,
    catalog: FieldCatalog,
    *,
    person: bool,
    my: Mapping[str, str] | None,
    group: bool = False,
) -> str | None:
    """Why a variable cannot be used, or None.

    Args:
        used: the variable.
        catalog: the fields that exist.
        person: whether there is a person.
        my: the journey's tokens; None: they are not checked here.
        group: whether there is a buying group, as in mails that name a solution interest.
    """
    root, rest = used.segments[0], used.segments[1:]
    roots = ["account", "my", *PLAIN, *(["person"] if person else [])]
    if root == "buying_group":
        if not group:
            return (
                "buying_group is known in mails that name a solution_interest in their front matter"
            )
        if len(rest) == 1 and rest[0] in GROUP_FIELDS:
            return None
        name = ".".join(rest) or "(nothing)"
        return f"buying_group has no field {name}{nearest(name, GROUP_FIELDS)}"
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
        for one in nonsense_in(text, catalog):
            yield one.code, one.message
    except BadLiquid as error:
        yield "bad-value", f"not Liquid: {error.message}"
