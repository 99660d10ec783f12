"""Texts of actions are Liquid, checked like templates: an unknown variable is told at validation."""

from caravan.journeys.fields import Entity
from caravan.journeys.liquid import problems_of_text
from caravan.journeys.reading import Fields, JourneyScope


def check_liquid(fields: Fields, key: str, text: str, scope: JourneyScope, entity: Entity) -> None:
    """Report what is wrong with a Liquid text that speaks of an account or of a person too."""
    catalog = scope.conditions.catalog
    person, my = entity == "person", scope.tokens
    for code, message in problems_of_text(text, catalog, person=person, my=my):
        fields.problem(code, key, message)
