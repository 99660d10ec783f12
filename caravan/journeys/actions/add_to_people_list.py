"""The action ``add_to_people_list``: people become members of a static list."""

from typing import Literal

from caravan.journeys.actions.base import PeopleAction
from caravan.journeys.actions.list_name import read_list_name
from caravan.journeys.reading import Fields, JourneyScope


class AddToPeopleList(PeopleAction):
    kind: Literal["add_to_people_list"] = "add_to_people_list"
    list: str

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        return read_list_name(fields, scope, "people")
