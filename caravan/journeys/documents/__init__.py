"""The documents of a workspace: what each kind says, one kind a file."""

from caravan.journeys.documents.audience import AudienceDocument, read_audience
from caravan.journeys.documents.buying_groups import BuyingGroupsDocument, read_buying_groups
from caravan.journeys.documents.campaign import CampaignDocument, read_campaign
from caravan.journeys.documents.communication_limits import (
    CommunicationLimitsDocument,
    read_communication_limits,
)
from caravan.journeys.documents.identity import IdentityDocument, read_identity
from caravan.journeys.documents.journey import JourneyDocument, read_journey
from caravan.journeys.documents.lists import LISTS, ListDocument, read_list
from caravan.journeys.documents.persona import PersonaDocument, read_persona
from caravan.journeys.documents.roles_template import RolesTemplateDocument, read_roles_template
from caravan.journeys.documents.score_model import ScoreModelDocument, read_score_model
from caravan.journeys.documents.service import read_service
from caravan.journeys.documents.settings import (
    SubscriptionNames,
    WorkspaceDocument,
    read_workspace_document,
)
from caravan.journeys.documents.solution_interest import (
    SolutionInterestDocument,
    read_solution_interest,
)
from caravan.journeys.documents.source import SourceDocument, read_source
from caravan.journeys.documents.stage_model import StageModelDocument, read_stage_model
from caravan.journeys.documents.tests import TestsDocument, read_tests

__all__ = [
    "KINDS",
    "LISTS",
    "AudienceDocument",
    "BuyingGroupsDocument",
    "CampaignDocument",
    "CommunicationLimitsDocument",
    "IdentityDocument",
    "JourneyDocument",
    "ListDocument",
    "PersonaDocument",
    "RolesTemplateDocument",
    "ScoreModelDocument",
    "SolutionInterestDocument",
    "SourceDocument",
    "StageModelDocument",
    "SubscriptionNames",
    "TestsDocument",
    "WorkspaceDocument",
    "read_audience",
    "read_buying_groups",
    "read_campaign",
    "read_communication_limits",
    "read_identity",
    "read_journey",
    "read_list",
    "read_persona",
    "read_roles_template",
    "read_score_model",
    "read_service",
    "read_solution_interest",
    "read_source",
    "read_stage_model",
    "read_tests",
    "read_workspace_document",
]

#: kinds of documents this version reads, by their leading key; an e-mail is a file of its own
KINDS = (
    "workspace", "audience", "account_list", "people_list", "journey", "campaign", "service",
    "roles_template", "stage_model", "solution_interest", "buying_groups", "score_model",
    "communication_limits", "tests", "identity", "source", "persona",
)  # fmt: skip
