"""What texts and values of a journey may speak of: the Liquid context of an account and a person."""

from typing import Any

from caravan.campaigns.visit import Visit
from caravan.delivery.errors import UnfitText
from caravan.delivery.liquid import render_text, render_value
from caravan.journeys.fields import FieldType
from caravan.journeys.written import storable


def context(visit: Visit, person: dict[str, Any] | None = None) -> dict[str, Any]:
    """The tokens of language.md: ``person``, ``account``, ``my``, ``now``.

    Every field that exists is there, an empty one as null, so that strict templates can use it.
    """
    catalog = visit.loaded.plan.catalog
    tokens: dict[str, Any] = {
        "account": dict.fromkeys(catalog.of("account")) | visit.account,
        "my": visit.loaded.plan.tokens,
        "now": visit.as_of,
    }
    if person is not None:
        tokens["person"] = dict.fromkeys(catalog.of("person")) | person
    return tokens


def text(visit: Visit, liquid: str, person: dict[str, Any] | None = None) -> str:
    """A text of an action, rendered.

    Raises:
        UnfitText: it cannot be rendered with this data, or what came out no store can hold.
    """
    if "{" not in liquid:
        return liquid
    rendered = render_text(liquid, context(visit, person))
    if not storable(rendered):
        raise UnfitText("a text cannot hold NUL or half a character")
    return rendered


def value(
    visit: Visit,
    written: object,
    kind: FieldType,
    person: dict[str, Any] | None = None,
) -> object:
    """A field's new value, as the store keeps it.

    ``now`` is the instant, null clears.

    Raises:
        UnfitText: the Liquid cannot be rendered with this data.
        UnfitValue: what it gave does not fit the field's type.
    """
    if isinstance(written, str):
        if written == "now" and kind in ("date", "datetime"):
            return _instant(visit, kind)
        written = text(visit, written, person)
    return render_value(written, kind)


def _instant(visit: Visit, kind: FieldType) -> str:
    if kind == "date":
        return visit.as_of.date().isoformat()
    return visit.as_of.strftime("%Y-%m-%dT%H:%M:%SZ")
