"""The action ``remove_from_buying_group``: people leave the account's group."""

from typing import Literal

from caravan.journeys.actions.base import PeopleAction
from caravan.journeys.actions.buying_group import read_interest
from caravan.journeys.reading import Fields, JourneyScope


class RemoveFromBuyingGroup(PeopleAction):
    kind: Literal["remove_from_buying_group"] = "remove_from_buying_group"
    solution_interest: str

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        return {"solution_interest": read_interest(fields, scope)}
