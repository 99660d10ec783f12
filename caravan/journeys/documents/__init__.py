"""The documents of a workspace: what each kind says, one kind a file."""

from caravan.journeys.documents.audience import AudienceDocument, read_audience
from caravan.journeys.documents.journey import JourneyDocument, read_journey
from caravan.journeys.documents.settings import (
    SubscriptionNames,
    WorkspaceDocument,
    read_workspace_document,
)
from caravan.journeys.documents.tests import TestsDocument, read_tests

__all__ = [
    "KINDS",
    "KINDS_LATER",
    "AudienceDocument",
    "JourneyDocument",
    "SubscriptionNames",
    "TestsDocument",
    "WorkspaceDocument",
    "read_audience",
    "read_journey",
    "read_tests",
    "read_workspace_document",
]

#: kinds of documents this version reads, by their leading key; an e-mail is a file of its own
KINDS = ("workspace", "audience", "journey", "tests")

#: kinds of the language that it does not
KINDS_LATER = (
    "account_list", "people_list", "roles_template", "stage_model", "solution_interest",
    "buying_groups", "score_model", "campaign", "service", "persona", "communication_limits",
)  # fmt: skip
