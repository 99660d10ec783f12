"""PlatformSyncWorkflow: takes what changed in the engage store back to the Platform."""

from temporalio import workflow

from workflows import contracts
from workflows.stream import drain_forever


@workflow.defn(name="PlatformSync")
class PlatformSyncWorkflow:
    """One per subscription; accounts, people, relations and opportunities, never buying groups."""

    @workflow.run
    async def run(self, given: contracts.StreamInput) -> None:
        await drain_forever(contracts.SYNC, given, "Platform sync")
