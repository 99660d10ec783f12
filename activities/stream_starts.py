"""Starting and ending the long-lived workflows: those of a subscription and the admission of a journey.

Every start is idempotent by its workflow id, so the CLI and each worker may all do it.
"""

from collections.abc import Iterable
from typing import Any

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from activities.terminations import terminate
from workflows import (
    AdmissionWorkflow,
    AudienceFlowWorkflow,
    BuyingGroupsWorkflow,
    DeliveryQueueWorkflow,
    EventDispatchWorkflow,
    PlatformSyncWorkflow,
    ReconcilerWorkflow,
)
from workflows.contracts import STREAMS, AdmissionInput, StreamInput

STREAM_IDS: dict[str, Any] = {
    "audience-flow": AudienceFlowWorkflow,
    "buying-groups": BuyingGroupsWorkflow,
    "delivery-queue": DeliveryQueueWorkflow,
    "platform-sync": PlatformSyncWorkflow,
    "event-dispatch": EventDispatchWorkflow,
    "reconciler": ReconcilerWorkflow,
}


async def ensure_streams(client: Client, munchkins: Iterable[str]) -> None:
    """See that the streams of these subscriptions run."""
    for munchkin in munchkins:
        for name, workflow in STREAM_IDS.items():
            await client.start_workflow(
                workflow.run,
                StreamInput(munchkin=munchkin),
                id=f"{name}/{munchkin}",
                task_queue=STREAMS,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                static_summary=f"{name.replace('-', ' ').capitalize()} · {munchkin}",
            )


async def stop_streams(client: Client, munchkin: str) -> None:
    """End the streams of a subscription that nobody is to work for any more."""
    why = "the subscription is being unpaired"
    await terminate(client, [f"{name}/{munchkin}" for name in STREAM_IDS], why)


async def ensure_admission(client: Client, munchkin: str, journey: Any) -> None:
    """See that the admission of a live journey version runs."""
    title = f"Admission · {journey['slug']} v{journey['version']}"
    await client.start_workflow(
        AdmissionWorkflow.run,
        AdmissionInput(
            munchkin=munchkin,
            journey_id=journey["id"],
            title=title,
            prepared=journey["flow_at"] is not None,
        ),
        id=f"admission/{munchkin}/{journey['slug']}/{journey['version']}",
        task_queue=STREAMS,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        static_summary=title,
    )
