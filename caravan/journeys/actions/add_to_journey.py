"""The action ``add_to_journey``: the account enters another journey, whatever its audience."""

from typing import Literal

from caravan.journeys.actions.base import BaseAction
from caravan.journeys.actions.journey_name import read_journey_name
from caravan.journeys.reading import Fields, JourneyScope


class AddToJourney(BaseAction):
    kind: Literal["add_to_journey"] = "add_to_journey"
    journey: str

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        return read_journey_name(fields, scope, itself="its account is inside already")
