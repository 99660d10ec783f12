"""The key ``journey``: another journey of the workspace."""

from caravan.journeys.conditions.scope import nearest
from caravan.journeys.reading import Fields, JourneyScope


def read_journey_name(fields: Fields, scope: JourneyScope, itself: str) -> dict[str, object]:
    """The slug of another journey; ``itself`` says why it cannot be the one it stands in."""
    slug = fields.text("journey")
    if slug is None:
        fields.required("journey")
    elif slug not in scope.journeys:
        fields.problem(
            "unknown-journey", "journey", f"no journey {slug}{nearest(slug, scope.journeys)}"
        )
    elif slug == scope.journey:
        fields.problem("circular-reference", "journey", f"{slug} is this journey; {itself}")
    return {"journey": slug}
