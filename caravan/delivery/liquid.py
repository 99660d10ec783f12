"""Liquid at send: strict, bounded, without files; what a text may use was checked at validation."""

from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from typing import Any

from liquid import BoundTemplate, Environment, RenderContext, StrictUndefined
from liquid.builtin.content import ContentNode
from liquid.builtin.filters.misc import date as builtin_date
from liquid.builtin.output import OutputNode
from liquid.exceptions import LiquidError, OutputStreamLimitError, ResourceLimitError
from liquid.expression import Expression
from liquid.filter import with_context
from liquid.stringify import to_liquid_string

from caravan.delivery.errors import UnfitText, UnfitValue
from caravan.journeys.conditions.operators import UnfitOperand, read_value
from caravan.journeys.fields import FieldType
from caravan.journeys.fragments import know_fragments

#: items of a range that a filter takes, and characters that one gives: loops are counted, these are not
LONGEST_RANGE = 10_000
LARGEST_VALUE = 1_000_000


def _bounded(made_by: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that refuses to fill the memory; ``replace`` is reckoned before it is done."""

    @wraps(made_by)  # with the marks by which Liquid hands it a context
    def bounded(value: object, *given: Any, **named: Any) -> Any:
        if any(isinstance(one, range) and len(one) > LONGEST_RANGE for one in (value, *given)):
            raise ResourceLimitError(f"a range has at most {LONGEST_RANGE} items", token=None)
        if made_by.__name__.startswith("replace") and len(given) > 1:
            times = str(value).count(str(given[0])) if given[0] else len(str(value)) + 1
            if times * len(str(given[1])) > LARGEST_VALUE:
                raise _too_large()
        made = made_by(value, *given, **named)
        if isinstance(made, str) and len(made) > LARGEST_VALUE:
            raise _too_large()
        return made

    return bounded


def _too_large() -> ResourceLimitError:
    return ResourceLimitError(f"a value has at most {LARGEST_VALUE} characters", token=None)


class _Context(RenderContext):
    """Beyond the end of a list is nothing, as an empty field is: `default` works."""

    def get_item(self, obj: Any, key: Any) -> Any:
        if type(obj) is dict and key in obj:  # as most are, without the questions for others
            return obj[key]
        try:
            return super().get_item(obj, key)
        except IndexError:
            return None


class _Template(BoundTemplate):
    context_class = _Context


class _Bounded(Environment):
    """No includes from disk, and no text that runs away."""

    template_class = _Template
    loop_iteration_limit = 10_000
    output_stream_limit = 2_000_000
    local_namespace_limit = 1_000_000  # else `assign a = a | append: a` in a loop fills the memory
    context_depth_limit = 20

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        know_fragments(self)
        self.filters = {name: _bounded(one) for name, one in self.filters.items()}
        self.add_filter("date", _date)


class _Exact(_Bounded):
    """Keeps blocks of white space alone: in a text alternative they are line breaks."""

    suppress_blank_control_flow_blocks = False


@with_context
def _date(value: object, form: str = "", *, context: RenderContext) -> object:
    """Liquid's ``date``, whose `now` is the message's instant and not another clock's."""
    if value in ("now", "today"):
        value = context.resolve("now")
    return builtin_date(value, form, environment=context.env)


_plain = _Bounded(undefined=StrictUndefined)
_html = _Bounded(undefined=StrictUndefined, autoescape=True)
_exact = _Exact(undefined=StrictUndefined)


class LiquidText:
    """A parsed text, for those who keep it."""

    def __init__(self, template: BoundTemplate) -> None:
        self._template = template
        self._pieces = _pieces(template)

    @classmethod
    def html(cls, text: str) -> "LiquidText":
        """Data is escaped.

        Raises:
            UnfitText: it is no Liquid.
        """
        return cls(_read(_html, text))

    @classmethod
    def text_alternative(cls, text: str) -> "LiquidText":
        """Data stands as it is, and so does white space.

        Raises:
            UnfitText: it is no Liquid.
        """
        return cls(_read(_exact, text))

    def render(self, context: dict[str, Any]) -> str:
        """The text with its data.

        Raises:
            UnfitText: a variable is unknown, a limit was passed, or a filter cannot take the data.
        """
        try:
            if self._pieces is not None:
                return self._joined(self._pieces, context)
            return str(self._template.render(context))
        except Exception as error:  # filters let through whatever their arithmetic raises
            raise UnfitText(_first_line(error)) from error

    def _joined(self, pieces: Sequence[str | Expression], context: dict[str, Any]) -> str:
        template = self._template
        given = _Context(template, globals=template.make_globals(context))
        joined, size = [], 0
        for piece in pieces:
            words = (
                piece
                if isinstance(piece, str)
                else to_liquid_string(piece.evaluate(given), given.autoescape)
            )
            size += len(words.encode())  # as the stream counts, and before the next one takes room
            if size > _Bounded.output_stream_limit:
                raise OutputStreamLimitError("output stream limit reached", token=None)
            # the stream, too, writes every end of a line as one: a bare CR would be a fault of the message
            joined.append(
                words.replace("\r\n", "\n").replace("\r", "\n") if "\r" in words else words
            )
        return "".join(joined)


def _pieces(template: BoundTemplate) -> list[str | Expression] | None:
    """Words and what stands between them; None: there are tags.

    Most texts have none, and to join them takes half the time of writing them to a stream.
    """
    pieces: list[str | Expression] = []
    for node in template.nodes:
        if isinstance(node, ContentNode):
            pieces.append(node.text)
        elif isinstance(node, OutputNode):
            pieces.append(node.expression)
        else:
            return None
    return pieces


@lru_cache(maxsize=2000)
def _parsed(text: str) -> LiquidText:
    return LiquidText(_plain.from_string(text))


def _read(environment: Environment, text: str) -> BoundTemplate:
    try:
        return environment.from_string(text)
    except LiquidError as error:
        raise UnfitText(_first_line(error)) from error


def render_text(text: str, context: dict[str, Any]) -> str:
    """Render a text; data stands as it is.

    Raises:
        UnfitText: it is no Liquid, or cannot be rendered with this data.
    """
    if "{" not in text:
        return text
    try:
        parsed = _parsed(text)
    except LiquidError as error:
        raise UnfitText(_first_line(error)) from error
    return parsed.render(context)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__


def render_value(value: object, kind: FieldType) -> object:
    """What an action's value becomes in a record; the empty text clears, as null does.

    Raises:
        UnfitValue: it does not fit the type.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str) and kind in ("integer", "number", "boolean"):
        value = _from_text(value.strip(), kind)
    try:
        return read_value(value, kind)
    except UnfitOperand as error:
        raise UnfitValue(f"{value!r}: {error}") from None


def _from_text(text: str, kind: FieldType) -> object:
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return float(text) if not text.lstrip("+-").isdigit() else int(text)
    except ValueError:
        raise UnfitValue(f"{text!r}: a number was expected") from None
