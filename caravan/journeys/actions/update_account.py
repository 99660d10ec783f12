"""The action ``update_account``: a field takes a new value."""

from typing import Literal

from caravan.journeys.actions.base import BaseAction
from caravan.journeys.actions.new_value import Value, read_new_value
from caravan.journeys.reading import Fields, JourneyScope


class UpdateAccount(BaseAction):
    kind: Literal["update_account"] = "update_account"
    field: str
    value: Value

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        return read_new_value(fields, scope, "account")
