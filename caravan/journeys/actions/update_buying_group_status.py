"""The action ``update_buying_group_status``: the account's group gets a status, a text of any kind."""

from typing import Literal

from caravan.journeys.actions.base import BaseAction
from caravan.journeys.actions.buying_group import read_interest
from caravan.journeys.actions.liquid_text import check_liquid
from caravan.journeys.liquid import has_liquid
from caravan.journeys.reading import Fields, JourneyScope

#: characters of a status; what Liquid makes longer is cut here
LONGEST_STATUS = 50


class UpdateBuyingGroupStatus(BaseAction):
    """``status`` None takes the status away."""

    kind: Literal["update_buying_group_status"] = "update_buying_group_status"
    solution_interest: str
    status: str | None

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        interest = read_interest(fields, scope)
        if "status" not in fields.raw:
            fields.problem("missing-key", None, "status is missing (null takes it away)")
        status = fields.text("status")
        if status is not None and has_liquid(status):
            check_liquid(fields, "status", status, scope, "account")
        elif status is not None:
            fields.text("status", limit="status_text")
        return {"solution_interest": interest, "status": status}
