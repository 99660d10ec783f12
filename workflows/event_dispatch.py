"""EventDispatchWorkflow: turns queued wake-ups into signals."""

from temporalio import workflow

from workflows import contracts
from workflows.stream import drain_forever


@workflow.defn(name="EventDispatch")
class EventDispatchWorkflow:
    """One per subscription; a signal says only that the traversal's row has changed."""

    @workflow.run
    async def run(self, given: contracts.StreamInput) -> None:
        await drain_forever(contracts.DISPATCH, given, "Event dispatch")
