"""The action ``remove_from_people_list``: people are members of a static list no more."""

from typing import Literal

from caravan.journeys.actions.base import PeopleAction
from caravan.journeys.actions.list_name import read_list_name
from caravan.journeys.reading import Fields, JourneyScope


class RemoveFromPeopleList(PeopleAction):
    kind: Literal["remove_from_people_list"] = "remove_from_people_list"
    list: str

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        return read_list_name(fields, scope, "people")
