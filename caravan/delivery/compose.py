"""Composing: a template, an account's and a person's data become one message."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.delivery.errors import UnfitText
from caravan.delivery.headers import structured
from caravan.delivery.liquid import LiquidText, render_text
from caravan.delivery.message import Rendered, Sender, mime
from caravan.delivery.plaintext import text_of, text_template, tidied
from caravan.delivery.transport import Outgoing
from caravan.journeys.addresses import is_mailable, split_name
from caravan.journeys.liquid import BadLiquid, variables
from caravan.journeys.mjml import BadMjml, html_of
from caravan.journeys.templates import TemplateDocument

__all__ = ["CompiledTemplate", "Sender", "compile_body", "compose", "page"]

_FOOTER = (
    '<div style="font:12px/1.5 sans-serif;color:#667;text-align:center;padding:16px">'
    "{{ postal_address }}<br/>"
    '<a href="{{ unsubscribe_link }}" style="color:#667">Unsubscribe</a></div>'
)
_PREHEADER = '<div style="display:none;max-height:0;overflow:hidden">{{ preheader_text }}</div>'


_BODY_START = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)


@dataclass(frozen=True)
class CompiledTemplate:
    """A template made ready once, not per person: MJML converted, the text alternative derived."""

    template: TemplateDocument
    html: LiquidText
    text: LiquidText | None  # None: only the rendered HTML can tell what is shown


def compile_body(template: TemplateDocument) -> CompiledTemplate:
    """Convert MJML and add what a marketing mail must have: a way out and an address.

    Raises:
        UnfitText: the MJML or its Liquid cannot be read.
    """
    html = _from_mjml(template) if template.format == "mjml" else template.body
    try:
        used = {variable.segments[0] for variable in variables(html)}
    except BadLiquid as error:
        raise UnfitText(f"{template.email}: no Liquid: {error.message}") from error
    if not template.operational and not {"unsubscribe_link", "postal_address"} <= used:
        html = _before_body_end(html, _FOOTER)
    if template.preheader:
        html = _after_body_start(html, _PREHEADER)
    return CompiledTemplate(template, LiquidText.html(html), _text_alternative(html))


def compose(
    compiled: CompiledTemplate,
    context: dict[str, Any],
    *,
    sender: Sender,
    message_id: str,
    at: datetime,
    to_address: str,
    unsubscribe_link: str | None = None,
    rewrite: Callable[[str], str] | None = None,
    headers: Sequence[tuple[str, str]] = (),
    envelope_from: str | None = None,
    sign: Callable[[bytes], bytes] | None = None,
) -> Outgoing:
    """Render one message for one person.

    Args:
        compiled: the template.
        context: its tokens, every known field there (empty ones as None).
        sender: of the workspace; the template may override it.
        message_id: with angle brackets.
        at: the message's date.
        to_address: a mailable address.
        unsubscribe_link: for the List-Unsubscribe header; operational mail has none.
        rewrite: what becomes of the rendered HTML, such as links that tell of clicks.
        headers: further structured fields (name, value).
        envelope_from: where the relay returns it; the sender's address if absent.
        sign: the signed message for a message as bytes.

    Raises:
        UnfitText: a text cannot be rendered with this data, or gives no address to send from.
    """
    template = compiled.template
    html, context = _html(compiled, context)
    text = tidied(compiled.text.render(context)) if compiled.text else text_of(html)
    if rewrite is not None:
        html = rewrite(html)
    origin = _origin(template, context, sender)
    try:
        further = "".join(structured(name, value) for name, value in headers)
    except ValueError as error:
        raise UnfitText(f"{template.email}: {error}") from None
    rendered = Rendered(render_text(template.subject, context), html, text)

    def write() -> bytes:
        content = mime(
            rendered,
            sender=origin,
            to_address=to_address,
            identity=message_id,
            at=at,
            unsubscribe_link=None if template.operational else unsubscribe_link,
            further=further,
        )
        return content if sign is None else sign(content)

    return Outgoing(envelope_from or origin.email, to_address, message_id, write)


def page(compiled: CompiledTemplate, context: dict[str, Any]) -> str:
    """The HTML of a message alone, as a web page.

    Raises:
        UnfitText: it cannot be rendered with this data.
    """
    return _html(compiled, context)[0]


def _html(compiled: CompiledTemplate, context: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The rendered HTML, and the context it took."""
    preheader = compiled.template.preheader
    if preheader:
        context = context | {"preheader_text": render_text(preheader, context)}
    return compiled.html.render(context), context


def _origin(template: TemplateDocument, context: dict[str, Any], sender: Sender) -> Sender:
    """The sender, as the template overrides it; what renders to nothing overrides nothing."""
    name, address, reply_to = sender.name, sender.email, sender.reply_to
    written = render_text(template.from_, context).strip() if template.from_ else ""
    if written:
        own_name, address = split_name(written)
        name = own_name or name
    if template.reply_to:
        reply_to = split_name(render_text(template.reply_to, context))[1] or reply_to
    for field, value in (("from", address), ("reply_to", reply_to or address)):
        if not is_mailable(value):
            raise UnfitText(f"{template.email}: {field} is no mail address: {value}")
    return Sender(name, address, reply_to)


def _from_mjml(template: TemplateDocument) -> str:
    try:
        return html_of(template.body)
    except BadMjml as error:
        raise UnfitText(f"{template.email}: the MJML cannot be read: {error}") from error


def _text_alternative(html: str) -> LiquidText | None:
    text = text_template(html)
    try:
        return None if text is None else LiquidText.text_alternative(text)
    except UnfitText:
        return None


def _before_body_end(html: str, part: str) -> str:
    ends = list(_BODY_END.finditer(html))
    place = ends[-1].start() if ends else len(html)
    return html[:place] + part + html[place:]


def _after_body_start(html: str, part: str) -> str:
    start = _BODY_START.search(html)
    place = start.end() if start else 0
    return html[:place] + part + html[place:]
