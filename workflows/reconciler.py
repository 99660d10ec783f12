"""ReconcilerWorkflow: finds open traversals whose workflow is gone."""

from temporalio import workflow

from workflows import contracts
from workflows.stream import drain_forever


@workflow.defn(name="Reconciler")
class ReconcilerWorkflow:
    """One per subscription; terminated by hand, restored or lost: closed or started again."""

    @workflow.run
    async def run(self, given: contracts.StreamInput) -> None:
        await drain_forever(contracts.RECONCILE, given, "Reconciler")
