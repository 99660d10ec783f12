"""A field and the value it takes: what the update actions have in common."""

from caravan.journeys.actions.liquid_text import check_liquid
from caravan.journeys.conditions.operators import UnfitOperand, read_value
from caravan.journeys.conditions.parse import nearest
from caravan.journeys.fields import PERSONA, Entity
from caravan.journeys.liquid import has_liquid
from caravan.journeys.reading import Fields, JourneyScope

Value = str | bool | int | float | None


def read_new_value(fields: Fields, scope: JourneyScope, entity: Entity) -> dict[str, object]:
    """The keys ``field`` and ``value``: Liquid, ``now``, a value of the field's type, or null."""
    known = scope.conditions.catalog.of(entity)
    field = fields.text("field")
    if field is None:
        fields.required("field")
    if "value" not in fields.raw:
        fields.problem("missing-key", None, "value is missing (null clears the field)")
    value = fields.given("value")
    if field is None:
        return {}
    if (entity, field) == ("person", PERSONA):
        fields.problem(
            "unknown-field",
            "field",
            "the persona is told from the job title and nobody writes it: update job_title",
        )
        return {}
    if field not in known:
        fields.problem(
            "unknown-field", "field", f"{entity} has no field {field}{nearest(field, known)}"
        )
        return {}
    kind = known[field]
    if value is not None:
        if isinstance(value, str) and has_liquid(value):
            check_liquid(fields, "value", value, scope, entity)
        elif not (value == "now" and kind in ("date", "datetime")):
            try:
                value = read_value(value, kind)
            except UnfitOperand as error:
                fields.problem("bad-value", "value", f"{field} is a {kind} field: {error}")
    return {"field": field, "value": value}
