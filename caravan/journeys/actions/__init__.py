"""The registry of actions: a new one is its own file here, its doing in ``caravan/campaigns``, a line in each."""

from typing import Annotated

from pydantic import Field

from caravan.journeys.actions.account_interesting_moment import AccountInterestingMoment
from caravan.journeys.actions.add_to_account_list import AddToAccountList
from caravan.journeys.actions.add_to_journey import AddToJourney
from caravan.journeys.actions.add_to_people_list import AddToPeopleList
from caravan.journeys.actions.assign_to_buying_group import AssignToBuyingGroup
from caravan.journeys.actions.base import BaseAction
from caravan.journeys.actions.change_score import ChangeScore
from caravan.journeys.actions.person_interesting_moment import PersonInterestingMoment
from caravan.journeys.actions.remove_from_account_list import RemoveFromAccountList
from caravan.journeys.actions.remove_from_buying_group import RemoveFromBuyingGroup
from caravan.journeys.actions.remove_from_journey import RemoveFromJourney
from caravan.journeys.actions.remove_from_people_list import RemoveFromPeopleList
from caravan.journeys.actions.request_campaign import RequestCampaign
from caravan.journeys.actions.send_email import SendEmail
from caravan.journeys.actions.send_sales_alert import SendSalesAlert
from caravan.journeys.actions.send_sms import SendSms
from caravan.journeys.actions.update_account import UpdateAccount
from caravan.journeys.actions.update_buying_group_stage import UpdateBuyingGroupStage
from caravan.journeys.actions.update_buying_group_status import UpdateBuyingGroupStatus
from caravan.journeys.actions.update_opportunity import UpdateOpportunity
from caravan.journeys.actions.update_person import UpdatePerson

Action = Annotated[
    SendEmail
    | SendSms
    | SendSalesAlert
    | AccountInterestingMoment
    | PersonInterestingMoment
    | UpdateAccount
    | UpdatePerson
    | UpdateOpportunity
    | ChangeScore
    | AddToAccountList
    | RemoveFromAccountList
    | AddToPeopleList
    | RemoveFromPeopleList
    | AddToJourney
    | RemoveFromJourney
    | RequestCampaign
    | UpdateBuyingGroupStage
    | UpdateBuyingGroupStatus
    | AssignToBuyingGroup
    | RemoveFromBuyingGroup,
    Field(discriminator="kind"),
]

ACTIONS: dict[str, type[BaseAction]] = {
    "send_email": SendEmail,
    "send_sms": SendSms,
    "send_sales_alert": SendSalesAlert,
    "account_interesting_moment": AccountInterestingMoment,
    "person_interesting_moment": PersonInterestingMoment,
    "update_account": UpdateAccount,
    "update_person": UpdatePerson,
    "update_opportunity": UpdateOpportunity,
    "change_score": ChangeScore,
    "add_to_account_list": AddToAccountList,
    "remove_from_account_list": RemoveFromAccountList,
    "add_to_people_list": AddToPeopleList,
    "remove_from_people_list": RemoveFromPeopleList,
    "add_to_journey": AddToJourney,
    "remove_from_journey": RemoveFromJourney,
    "request_campaign": RequestCampaign,
    "update_buying_group_stage": UpdateBuyingGroupStage,
    "update_buying_group_status": UpdateBuyingGroupStatus,
    "assign_to_buying_group": AssignToBuyingGroup,
    "remove_from_buying_group": RemoveFromBuyingGroup,
}
