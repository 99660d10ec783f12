"""The action ``add_to_account_list``: the account becomes a member of a static list."""

from typing import Literal

from caravan.journeys.actions.base import BaseAction
from caravan.journeys.actions.list_name import read_list_name
from caravan.journeys.reading import Fields, JourneyScope


class AddToAccountList(BaseAction):
    kind: Literal["add_to_account_list"] = "add_to_account_list"
    list: str

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        return read_list_name(fields, scope, "accounts")
