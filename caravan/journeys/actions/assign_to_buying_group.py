"""The action ``assign_to_buying_group``: people play a role in the account's group."""

from typing import Literal

from caravan.journeys.actions.base import PeopleAction
from caravan.journeys.actions.buying_group import read_interest, read_name_in
from caravan.journeys.reading import Fields, JourneyScope


class AssignToBuyingGroup(PeopleAction):
    kind: Literal["assign_to_buying_group"] = "assign_to_buying_group"
    solution_interest: str
    role: str

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        interest = read_interest(fields, scope)
        return {
            "solution_interest": interest,
            "role": read_name_in(fields, "role", interest, scope),
        }
