"""Interesting moments: what the one of an account and the one of a person have in common."""

from typing import Literal

from caravan.journeys.actions.liquid_text import check_liquid
from caravan.journeys.fields import Entity
from caravan.journeys.reading import Fields, JourneyScope

MomentType = Literal["email", "milestone", "web"]

#: a text of a moment is cut here (product.md §1.4)
MOMENT_TEXT_LIMIT = 140


def read_interesting_moment(
    fields: Fields, scope: JourneyScope, entity: Entity
) -> dict[str, object]:
    """The keys ``type`` and ``text``."""
    fields.required("type")
    kind = fields.choice("type", ("email", "milestone", "web"))
    text = fields.text("text", limit="moment_text") or ""
    check_liquid(fields, "text", text, scope, entity)
    return {"type": kind, "text": text}
