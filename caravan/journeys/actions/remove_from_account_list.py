"""The action ``remove_from_account_list``: the account is a member of a static list no more."""

from typing import Literal

from caravan.journeys.actions.base import BaseAction
from caravan.journeys.actions.list_name import read_list_name
from caravan.journeys.reading import Fields, JourneyScope


class RemoveFromAccountList(BaseAction):
    kind: Literal["remove_from_account_list"] = "remove_from_account_list"
    list: str

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        return read_list_name(fields, scope, "accounts")
