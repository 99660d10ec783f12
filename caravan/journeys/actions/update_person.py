"""The action ``update_person``: a field takes a new value."""

from typing import Literal

from caravan.journeys.actions.base import PeopleAction
from caravan.journeys.actions.new_value import Value, read_new_value
from caravan.journeys.reading import Fields, JourneyScope


class UpdatePerson(PeopleAction):
    kind: Literal["update_person"] = "update_person"
    field: str
    value: Value

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        return read_new_value(fields, scope, "person")
