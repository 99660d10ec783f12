"""The action ``update_buying_group_stage``: the account's group moves along its stage model."""

from typing import Literal

from caravan.journeys.actions.base import BaseAction
from caravan.journeys.actions.buying_group import read_interest, read_name_in
from caravan.journeys.reading import Fields, JourneyScope


class UpdateBuyingGroupStage(BaseAction):
    kind: Literal["update_buying_group_stage"] = "update_buying_group_stage"
    solution_interest: str
    stage: str

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        interest = read_interest(fields, scope)
        return {
            "solution_interest": interest,
            "stage": read_name_in(fields, "stage", interest, scope),
        }
