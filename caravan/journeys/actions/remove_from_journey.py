"""The action ``remove_from_journey``: the account leaves another journey at once."""

from typing import Literal

from caravan.journeys.actions.base import BaseAction
from caravan.journeys.actions.journey_name import read_journey_name
from caravan.journeys.reading import Fields, JourneyScope


class RemoveFromJourney(BaseAction):
    kind: Literal["remove_from_journey"] = "remove_from_journey"
    journey: str

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        return read_journey_name(fields, scope, itself="to leave it, name an end: on the node")
