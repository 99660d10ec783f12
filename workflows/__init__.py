"""The Temporal shells that decide: one workflow a file, deterministic and thin."""

from workflows.account_journey import AccountJourneyWorkflow
from workflows.admission import AdmissionWorkflow
from workflows.audience_flow import AudienceFlowWorkflow
from workflows.buying_group_upkeep import BuyingGroupUpkeepWorkflow
from workflows.buying_groups import BuyingGroupsWorkflow
from workflows.delivery_queue import DeliveryQueueWorkflow
from workflows.event_dispatch import EventDispatchWorkflow
from workflows.platform_sync import PlatformSyncWorkflow
from workflows.reconciler import ReconcilerWorkflow

__all__ = [
    "JOURNEY_WORKFLOWS",
    "STREAM_WORKFLOWS",
    "AccountJourneyWorkflow",
    "AdmissionWorkflow",
    "AudienceFlowWorkflow",
    "BuyingGroupUpkeepWorkflow",
    "BuyingGroupsWorkflow",
    "DeliveryQueueWorkflow",
    "EventDispatchWorkflow",
    "PlatformSyncWorkflow",
    "ReconcilerWorkflow",
]

JOURNEY_WORKFLOWS = (AccountJourneyWorkflow,)
STREAM_WORKFLOWS = (
    AdmissionWorkflow,
    AudienceFlowWorkflow,
    BuyingGroupUpkeepWorkflow,
    BuyingGroupsWorkflow,
    DeliveryQueueWorkflow,
    EventDispatchWorkflow,
    PlatformSyncWorkflow,
    ReconcilerWorkflow,
)
