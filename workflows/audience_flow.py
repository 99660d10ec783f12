"""AudienceFlowWorkflow: follows the Platform: audiences, changed records, events from outside."""

from temporalio import workflow

from workflows import contracts
from workflows.stream import drain_forever


@workflow.defn(name="AudienceFlow")
class AudienceFlowWorkflow:
    """One per subscription; what it brings down queues admissions and wakes listeners."""

    @workflow.run
    async def run(self, given: contracts.StreamInput) -> None:
        await drain_forever(contracts.FOLLOW_AUDIENCES, given, "Audience flow")
