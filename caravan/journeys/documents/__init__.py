"""The documents of a workspace: what each kind says, one kind a file."""

from caravan.journeys.documents.audience import AudienceDocument, read_audience
from caravan.journeys.documents.campaign import CampaignDocument, read_campaign
from caravan.journeys.documents.journey import JourneyDocument, read_journey
from caravan.journeys.documents.lists import LISTS, ListDocument, read_list
from caravan.journeys.documents.service import read_service
from caravan.journeys.documents.settings import (
    SubscriptionNames,
    WorkspaceDocument,
    read_workspace_document,
)
from caravan.journeys.documents.tests import TestsDocument, read_tests

__all__ = [
    "KINDS",
    "KINDS_LATER",
    "LISTS",
    "AudienceDocument",
    "CampaignDocument",
    "JourneyDocument",
    "ListDocument",
    "SubscriptionNames",
    "TestsDocument",
    "WorkspaceDocument",
    "read_audience",
    "read_campaign",
    "read_journey",
    "read_list",
    "read_service",
    "read_tests",
    "read_workspace_document",
]

#: kinds of documents this version reads, by their leading key; an e-mail is a file of its own
KINDS = (
    "workspace", "audience", "account_list", "people_list", "journey", "campaign", "service", "tests",
)  # fmt: skip

#: kinds of the language that it does not
KINDS_LATER = (
    "roles_template", "stage_model", "solution_interest", "buying_groups", "score_model", "persona",
    "communication_limits",
)  # fmt: skip
