"""What of a Liquid text no message can be made of, though each variable it takes from outside exists.

A filter that is unknown or takes other arguments; a part of what has none; a name that has a value in some
cases only; an order between a number and a text. Rendering refuses each of these, and with it the message.

The text is followed as it is rendered, with kinds in place of values: a name has a value behind ``if`` where
each branch gives it one, and behind a loop only where it had one before.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import (
    Filter,
    FilteredExpression,
    KeywordArgument,
    Literal,
    Nil,
    Path,
    TernaryFilteredExpression,
)
from liquid.builtin.expressions.logical import (
    ContainsExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LtExpression,
)
from liquid.builtin.expressions.primitive import Continue
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.decrement_tag import DecrementNode
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode, ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.increment_tag import IncrementNode
from liquid.builtin.tags.render_tag import RenderNode
from liquid.builtin.tags.tablerow_tag import TablerowNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.expression import Expression

from caravan.journeys.conditions.parse import nearest
from caravan.journeys.fragments import FragmentNode, bound_as
from caravan.journeys.lines import Lines
from caravan.journeys.liquid_kinds import (
    ANY,
    NUMBER,
    TEXT,
    Kind,
    KindOf,
    behind_filter,
    in_words,
    joined,
    of_literal,
)
from caravan.journeys.liquid_parts import each_of, no_part, part_of


@dataclass(frozen=True, order=True)
class Nonsense:
    """Something that cannot be rendered, and the line (from 1) it stands on."""

    line: int
    code: str
    message: str


Scope = dict[str, Kind]

_ORDERED = (LtExpression, LeExpression, GtExpression, GeExpression)
#: rounds of a loop that are followed until its names keep their kinds, in so many loops within each other
MOST_ROUNDS, MOST_FOLLOWED = 3, 3
#: what a filter may be tried on: one that takes none of these takes nothing
_TRIED_ON: tuple[object, ...] = (None, "text", "7", 7, True, ["text"], [7])


def nonsense(template: BoundTemplate, text: str, kind_of: KindOf) -> list[Nonsense]:
    """What cannot be rendered, in order.

    Args:
        template: the text, parsed.
        text: to tell lines by.
        kind_of: of what comes from outside.
    """
    follower = _Follower(template, text, kind_of)
    follower.follow(template.nodes, {})
    return sorted(follower.found)


class _Follower:
    def __init__(self, template: BoundTemplate, text: str, kind_of: KindOf) -> None:
        self.context = RenderContext(template)
        self.environment: Environment = template.env
        self.lines = Lines(text)
        self.kind_of = kind_of
        self.found: set[Nonsense] = set()
        self.somewhere: set[str] = set()  # given a value here or there
        self.from_outside: set[str] = set()
        self.loops = 0  # around
        self.unknown: dict[str, str] = {}

    def report(self, index: int, code: str, message: str) -> None:
        self.found.add(Nonsense(self.lines.of(index), code, message))

    # what is done

    def follow(self, nodes: Sequence[Node], scope: Scope) -> Scope:
        """The names behind some nodes, and their kinds."""
        for node in nodes:
            scope = self.step(node, scope)
        return scope

    def step(self, node: Node, scope: Scope) -> Scope:
        match node:
            case AssignNode():
                return self.named(scope, node.name, self.kind(node.expression, scope))
            case CaptureNode():
                return self.named(self.follow([node.block], scope), node.name, TEXT)
            case IncrementNode() | DecrementNode():
                return scope if node.name in scope else self.named(scope, node.name, NUMBER)
            case IfNode() | UnlessNode():
                return self.branches(node, scope)
            case CaseNode():
                return self.cases(node, scope)
            case ForNode() | TablerowNode():
                return self.loop(node, scope)
            case FragmentNode():
                self.fragment(node, scope)
                return scope
            case RenderNode():
                self.given(node, scope)
                return scope
            case BreakNode() | ContinueNode():
                if not self.loops:
                    message = f"{node.token.value} stands in no loop"
                    self.report(node.token.start_index, "bad-value", message)
                return scope
        for expression in node.expressions():
            self.kind(expression, scope)
        return self.follow(list(node.children(self.context, include_partials=False)), scope)

    def named(self, scope: Scope, name: str, kind: Kind) -> Scope:
        self.somewhere.add(str(name))
        return {**scope, str(name): kind}

    def branches(self, node: IfNode | UnlessNode, scope: Scope) -> Scope:
        self.kind(node.condition, scope)
        ends = [self.follow([node.consequence], scope)]
        for other in node.alternatives:
            self.kind(other.expression, scope)
            ends.append(self.follow([other.block], scope))
        ends.append(self.follow([node.default], scope) if node.default else scope)
        return _in_each(ends)

    def cases(self, node: CaseNode, scope: Scope) -> Scope:
        self.kind(node.expression, scope)
        ends, otherwise = [], False
        for block in node.blocks:
            if isinstance(block, MultiExpressionBlockNode):
                self.kind(block.expression, scope)
                ends.append(self.follow([block.block], scope))
            else:
                otherwise = True
                ends.append(self.follow([block], scope))
        return _in_each(ends if otherwise else [*ends, scope])

    def loop(self, node: ForNode | TablerowNode, scope: Scope) -> Scope:
        expression = node.expression
        over = self.kind(expression.iterable, scope)
        self.whole_number("limit", expression.limit, scope)
        self.whole_number("offset", expression.offset, scope)
        if expression.cols is not None:
            self.kind(expression.cols, scope)
        item = {str(expression.identifier): each_of(over)}
        if isinstance(node, ForNode):
            item["forloop"] = Kind("loop", within=self.loops)
        else:
            item["tablerowloop"] = Kind("row")
        before = scope
        # a later round begins with what an earlier one made of the names
        for _ in range(MOST_ROUNDS if self.loops < MOST_FOLLOWED else 0):
            after = self._round(node, scope, item)
            if after == scope:
                break
            scope = after
        else:
            scope = {
                name: kind if kind.what in ("loop", "row") else ANY for name, kind in scope.items()
            }
            scope = self._round(node, scope, item)
        if isinstance(node, ForNode) and node.default is not None:
            names = {str(expression.identifier), "forloop"} - set(scope)
            added = names - self.somewhere
            self.somewhere |= added
            otherwise = self.follow([node.default], before)
            self.somewhere -= added
            return _in_each([scope, {**before, **otherwise}])
        return scope

    def _round(self, node: ForNode | TablerowNode, scope: Scope, item: Scope) -> Scope:
        """The names of a loop's surroundings before a round or behind it."""
        self.loops += 1
        after = self.follow([node.block], {**scope, **item})
        self.loops -= 1
        kept = {name: kind for name, kind in after.items() if name not in item}
        return _in_each([scope, {**scope, **kept}])

    def whole_number(self, what: str, expression: Expression | None, scope: Scope) -> None:
        if expression is None or isinstance(expression, Continue):
            return
        kind = self.kind(expression, scope)
        if isinstance(expression, Literal):
            value = str(expression.value)
            fits = value.lstrip("-").isdecimal() or (what == "offset" and value == "continue")
        else:
            fits = kind == NUMBER or kind.what == "given"
        if not fits:
            self.report(
                expression.token.start_index,
                "bad-value",
                f"{what} takes a whole number that is never empty: {{% assign n = … | plus: 0 %}}",
            )

    def given(self, node: RenderNode, scope: Scope) -> Scope:
        """What a fragment is given."""
        names = {str(one.name): self.kind(one.value, scope) for one in node.args}
        if node.var is not None:
            kind = self.kind(node.var, scope)
            many = node.loop and kind.what == "list" and kind.items != "number"
            names[bound_as(node)] = each_of(kind) if many else kind
            if many:
                names["forloop"] = Kind("loop")
        return names

    def fragment(self, node: FragmentNode, scope: Scope) -> None:
        around = self.somewhere, self.from_outside, self.loops
        # what it needs it is given: that is checked; it has a loop only where it is given a list
        self.somewhere, self.from_outside, self.loops = {"forloop"}, set(), 0
        self.follow([node.block], self.given(node, scope))
        self.somewhere, self.from_outside, self.loops = around

    # what is said

    def kind(self, expression: Expression, scope: Scope) -> Kind:
        """What an expression is; what is wrong in it is reported."""
        match expression:
            case Path():
                return self.path(expression, scope)
            case FilteredExpression():
                return self.filtered(self.kind(expression.left, scope), expression.filters, scope)
            case TernaryFilteredExpression():
                self.kind(expression.condition, scope)
                either, other = self.kind(expression.left, scope), Kind("nothing", null=True)
                if expression.alternative is not None:
                    other = self.kind(expression.alternative, scope)
                    other = self.filtered(other, expression.filters, scope)
                return self.filtered(joined(either, other), expression.tail_filters, scope)
        kinds = [self.kind(one, scope) for one in expression.children()]
        if isinstance(expression, _ORDERED):
            self.order(expression, *kinds)
        elif isinstance(expression, ContainsExpression) and kinds[0].what not in (
            "text", "list", "loop", "nothing", "given",
        ):  # fmt: skip
            self.report(
                expression.token.start_index,
                "bad-value",
                f"contains looks into texts and lists: {expression.left} is {in_words(kinds[0])}",
            )
        return of_literal(expression)

    def order(self, expression: Any, left: Kind, right: Kind) -> None:
        if "nothing" in (left.what, right.what) or "given" in (left.what, right.what):
            return
        if left.comparable is None or left.comparable != right.comparable:
            remedy = ": compare numbers (| plus: 0) or texts (| append: '')"
            if "instant" in (left.what, right.what):
                remedy = ": compare dates as texts (now | date: '%Y-%m-%d', assigned before)"
            self.report(
                expression.token.start_index,
                "bad-value",
                f"{expression.left} ({in_words(left)}) and {expression.right} ({in_words(right)}) "
                f"have no order{remedy}",
            )

    def path(self, path: Path, scope: Scope) -> Kind:
        indexes = [self.kind(one, scope) if isinstance(one, Path) else None for one in path.path]
        root, index = str(path.path[0]), path.token.start_index
        if root in scope:
            kind = scope[root]
        elif root in self.somewhere and root not in self.from_outside:
            message = f"{root} has a value in some cases only: give it one before, {{% assign {root} = '' %}}"
            self.report(index, "unknown-variable", message)
            return ANY
        else:
            self.from_outside.add(root)
            kind = self.kind_of(tuple(str(one) for one in path.path))
            if kind.what not in ("given", "loop"):
                return kind  # its parts are the fields that exist
        for number, part in enumerate(path.path[1:], start=1):
            inner = part_of(kind, part, indexes[number])
            if inner is None:
                self.report(index, "unknown-variable", no_part(path, root, kind, part))
                return ANY
            kind = inner
        return kind

    def filtered(self, kind: Kind, filters: Sequence[Filter] | None, scope: Scope) -> Kind:
        for one in filters or ():
            arguments = [self.kind(argument.value, scope) for argument in one.args]
            wrong = self.misused(one, arguments)
            if wrong is not None:
                self.report(one.token.start_index, "bad-value", wrong)
                return ANY
            kind = behind_filter(one.name, kind, arguments)
        return kind

    def misused(self, used: Filter, arguments: list[Kind]) -> str | None:
        """Why a filter can give nothing, whatever it is put behind."""
        name = used.name
        if name not in self.environment.filters:
            if name not in self.unknown:  # often the same, and the nearest is dear
                own = nearest(name, sorted(self.environment.filters))
                instead = own or ": there are those of Liquid, such as capitalize"
                self.unknown[name] = f"no filter {name}{instead}"
            return self.unknown[name]
        if name == "concat" and any(one.what not in ("list", "given") for one in arguments):
            return "filter concat takes a list: {% assign more = 'a,b' | split: ',' %}"
        made_by = self.environment.filters[name]
        beside = self.beside(made_by)
        plain = [one for one in used.args if not isinstance(one, KeywordArgument)]
        named = {one.name: one for one in used.args if isinstance(one, KeywordArgument)}
        try:
            inspect.signature(made_by).bind(None, *plain, **named, **beside)
        except TypeError as error:
            return f"filter {name}: {error}"
        if not all(isinstance(one.value, Literal | Nil) for one in used.args):
            return None
        values = [one.value.evaluate(self.context) for one in plain]
        by_name = {key: one.value.evaluate(self.context) for key, one in named.items()}
        why = None
        for value in _TRIED_ON:
            try:
                made_by(value, *values, **by_name, **beside)
            except Exception as error:  # whatever their arithmetic raises
                why = f"filter {name} cannot be used so: {error}"
            else:
                return None
        return why

    def beside(self, made_by: Callable[..., Any]) -> dict[str, Any]:
        """What Liquid hands a filter that asks for it."""
        handed: dict[str, Any] = {}
        if getattr(made_by, "with_context", False):
            handed["context"] = self.context
        if getattr(made_by, "with_environment", False):
            handed["environment"] = self.environment
        return handed


def _in_each(ends: Sequence[Scope]) -> Scope:
    """The names that have a value in every case."""
    first, *others = ends
    both = dict(first)
    for other in others:
        both = {name: joined(kind, other[name]) for name, kind in both.items() if name in other}
    return both
