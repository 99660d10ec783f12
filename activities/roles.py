"""What a worker of each role serves: its queue, its workflows, its activities."""

from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import (
    PollerBehaviorSimpleMaximum,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.admission import AdmissionActivities
from activities.askers import Askers
from activities.audience_flow import AudienceFlowActivities
from activities.buying_groups import BuyingGroupActivities
from activities.decisions import DecisionActivities
from activities.delivery_queue import DeliveryQueueActivities
from activities.email import EmailActivities
from activities.event_dispatch import EventDispatchActivities
from activities.journey_starts import JourneyStarts, StartOptions
from activities.log_context import LogContext
from activities.nudges import Nudges
from activities.platform_sync import PlatformSyncActivities
from activities.reconciler import ReconcilerActivities
from activities.services import ReachedAt, ServiceActivities
from activities.stretches import StretchActivities
from caravan import __version__
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.plans import PlanCache
from caravan.retention import Retention
from caravan.services.client import Exchange
from caravan.stores import Stores
from workflows import JOURNEY_WORKFLOWS, STREAM_WORKFLOWS
from workflows.contracts import CALLS, DECISIONS, EMAIL, JOURNEYS, STREAMS

ROLES = (JOURNEYS, EMAIL, CALLS, DECISIONS, STREAMS)


def sandbox() -> SandboxedWorkflowRunner:
    """The sandbox that tests run all workflow code in: no clock, no chance, no I/O.

    Without re-importing our modules for every run; they hold no mutable globals, which a test watches.
    Workers do without it: it takes a tenth of an account's cost (docs/decisions/0009).
    """
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_all_modules()
    )


def build_workers(
    client: Client,
    stores: Stores,
    mailing: Mailing,
    roles: tuple[str, ...],
    *,
    starts: StartOptions | None = None,
    exchange: Exchange | None = None,
    reached: ReachedAt | None = None,
    askers: Askers | None = None,
    retention: Retention | None = None,
    graceful: timedelta = timedelta(seconds=30),
    runner: WorkflowRunner | None = None,
) -> list[Worker]:
    """One Temporal worker per role; tests give the sandbox as ``runner``."""
    plans = PlanCache()
    runner = runner or UnsandboxedWorkflowRunner()
    common: dict[str, Any] = {
        "client": client,
        "graceful_shutdown_timeout": graceful,
        "interceptors": [LogContext()],
        # else it is a hash of all modules there are, which costs seconds of each start
        "build_id": __version__,
    }
    workers = []
    if JOURNEYS in roles:
        workers.append(_journeys(stores, plans, runner, common))
    if EMAIL in roles:
        workers.append(_email(stores, plans, mailing, common))
    if CALLS in roles and exchange is not None:
        workers.append(_calls(stores, plans, exchange, reached or ReachedAt(), common))
    if DECISIONS in roles and askers is not None:
        workers.append(_decisions(stores, plans, askers, common))
    if STREAMS in roles:
        starting = JourneyStarts(client, starts or StartOptions())
        workers.append(_streams(client, stores, plans, starting, retention, runner, common))
    return workers


def _journeys(
    stores: Stores, plans: PlanCache, runner: WorkflowRunner, common: dict[str, Any]
) -> Worker:
    return Worker(
        task_queue=JOURNEYS,
        workflows=JOURNEY_WORKFLOWS,
        activities=[StretchActivities(stores, plans).run_stretch],
        workflow_runner=runner,
        max_cached_workflows=1000,
        **common,
    )


def _email(stores: Stores, plans: PlanCache, mailing: Mailing, common: dict[str, Any]) -> Worker:
    return Worker(
        task_queue=EMAIL,
        activities=[
            EmailActivities(stores, plans, mailing).send,
            DeliveryQueueActivities(stores, plans, mailing).deliver,
        ],
        **common,
    )


def _calls(
    stores: Stores,
    plans: PlanCache,
    exchange: Exchange,
    reached: ReachedAt,
    common: dict[str, Any],
) -> Worker:
    return Worker(
        task_queue=CALLS,
        activities=[ServiceActivities(stores, plans, exchange, reached).call],
        **common,
    )


def _decisions(stores: Stores, plans: PlanCache, askers: Askers, common: dict[str, Any]) -> Worker:
    return Worker(
        task_queue=DECISIONS,
        activities=[DecisionActivities(stores, plans, askers).decide],
        # no more than could have a turn: who waits for one waits in the queue
        max_concurrent_activities=askers.settings.concurrency,
        **common,
    )


def _streams(
    client: Client,
    stores: Stores,
    plans: PlanCache,
    starting: JourneyStarts,
    retention: Retention | None,
    runner: WorkflowRunner,
    common: dict[str, Any],
) -> Worker:
    nudges = Nudges()
    flow = AudienceFlowActivities(stores, plans, nudges)
    groups = BuyingGroupActivities(stores, plans)
    return Worker(
        task_queue=STREAMS,
        workflows=STREAM_WORKFLOWS,
        activities=[
            AdmissionActivities(stores, starting, nudges).admit,
            flow.build_segment,
            flow.bring_in,
            flow.follow,
            groups.keep,
            groups.renew_engagement,
            groups.question,
            groups.follow,
            PlatformSyncActivities(stores).sync,
            EventDispatchActivities(stores, client, nudges).dispatch,
            ReconcilerActivities(stores, client, starting, retention).reconcile,
        ],
        workflow_runner=runner,
        workflow_task_poller_behavior=PollerBehaviorSimpleMaximum(2),
        **common,
    )
