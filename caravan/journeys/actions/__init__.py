"""The registry of actions: a new one is its own file here, its doing in ``caravan/campaigns``, a line in each."""

from typing import Annotated

from pydantic import Field

from caravan.journeys.actions.account_interesting_moment import AccountInterestingMoment
from caravan.journeys.actions.base import BaseAction
from caravan.journeys.actions.person_interesting_moment import PersonInterestingMoment
from caravan.journeys.actions.send_email import SendEmail
from caravan.journeys.actions.update_account import UpdateAccount
from caravan.journeys.actions.update_person import UpdatePerson

Action = Annotated[
    SendEmail | AccountInterestingMoment | PersonInterestingMoment | UpdateAccount | UpdatePerson,
    Field(discriminator="kind"),
]

ACTIONS: dict[str, type[BaseAction]] = {
    "send_email": SendEmail,
    "account_interesting_moment": AccountInterestingMoment,
    "person_interesting_moment": PersonInterestingMoment,
    "update_account": UpdateAccount,
    "update_person": UpdatePerson,
}

#: actions of the language that this version does not run
LATER = frozenset(
    {
        "update_opportunity", "add_to_account_list", "remove_from_account_list", "add_to_journey",
        "remove_from_journey", "send_sales_alert", "update_buying_group_stage",
        "update_buying_group_status", "send_sms", "change_score", "assign_to_buying_group",
        "remove_from_buying_group", "add_to_people_list", "remove_from_people_list",
        "request_campaign",
    }
)  # fmt: skip
