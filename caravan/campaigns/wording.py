"""What texts and values of a journey may speak of: the Liquid context of an account and a person."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from caravan.campaigns.visit import Visit
from caravan.delivery.errors import UnfitText
from caravan.delivery.liquid import render_text, render_value
from caravan.journeys.fields import FieldCatalog, FieldType
from caravan.journeys.time import in_zone
from caravan.journeys.written import storable


def context(visit: Visit, person: dict[str, Any] | None = None) -> dict[str, Any]:
    """The tokens of language.md: ``person``, ``account``, ``my``, ``now`` (on the journey's clock).

    Every field that exists is there, an empty one as null, so that strict templates can use it.
    """
    plan = visit.loaded.plan
    return tokens(
        plan.catalog,
        plan.tokens,
        in_zone(visit.as_of, visit.zones.of()),
        visit.account,
        person,
    )


def tokens(
    catalog: FieldCatalog,
    my: Mapping[str, str],
    now: datetime,
    account: Mapping[str, Any],
    person: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The same of an account that is at no visit."""
    said: dict[str, Any] = {
        "account": {**dict.fromkeys(catalog.of("account")), **account},
        "my": my,
        "now": now,
    }
    if person is not None:
        said["person"] = {**dict.fromkeys(catalog.of("person")), **person}
    return said


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
