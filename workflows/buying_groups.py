"""BuyingGroupsWorkflow: keeps buying groups up as data change, and brings in whom a new job is about."""

from temporalio import workflow

from workflows import contracts
from workflows.stream import drain_forever


@workflow.defn(name="BuyingGroups")
class BuyingGroupsWorkflow:
    """One per subscription; answers what is in question within seconds."""

    @workflow.run
    async def run(self, given: contracts.StreamInput) -> None:
        await drain_forever(contracts.KEEP_GROUPS, given, "Buying groups")
