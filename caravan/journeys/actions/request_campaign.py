"""The action ``request_campaign``: a campaign of the workspace is run for each of the people."""

from typing import Literal

from caravan.journeys.actions.base import PeopleAction
from caravan.journeys.actions.known_name import read_known_name
from caravan.journeys.reading import Fields, JourneyScope


class RequestCampaign(PeopleAction):
    kind: Literal["request_campaign"] = "request_campaign"
    campaign: str

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        return {"campaign": read_known_name(fields, "campaign", scope.campaigns, "campaign")}
