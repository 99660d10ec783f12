"""The key ``journey``: another journey of the workspace."""

from caravan.journeys.actions.known_name import read_known_name
from caravan.journeys.reading import Fields, JourneyScope


def read_journey_name(fields: Fields, scope: JourneyScope, itself: str) -> dict[str, object]:
    """The slug of another journey; ``itself`` says why it cannot be the one it stands in."""
    slug = read_known_name(fields, "journey", scope.journeys, "journey")
    if slug is not None and slug == scope.journey:
        fields.problem("circular-reference", "journey", f"{slug} is this journey; {itself}")
    return {"journey": slug}
