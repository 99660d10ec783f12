"""The action ``request_campaign``: a campaign of the workspace is run for each of the people."""

from typing import Literal

from caravan.journeys.actions.base import PeopleAction
from caravan.journeys.conditions.scope import nearest
from caravan.journeys.reading import Fields, JourneyScope


class RequestCampaign(PeopleAction):
    kind: Literal["request_campaign"] = "request_campaign"
    campaign: str

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        slug = fields.text("campaign")
        if slug is None:
            fields.required("campaign")
        elif slug not in scope.campaigns:
            fields.problem(
                "unknown-campaign",
                "campaign",
                f"no campaign {slug}{nearest(slug, scope.campaigns)}",
            )
        return {"campaign": slug}
