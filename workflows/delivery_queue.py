"""DeliveryQueueWorkflow: has the mail sent that was held for its hour, or put off by the relay."""

from temporalio import workflow

from workflows import contracts, options
from workflows.stream import drain_forever


@workflow.defn(name="DeliveryQueue")
class DeliveryQueueWorkflow:
    """One per subscription; what it drains leaves the system, so that runs where mail is sent."""

    @workflow.run
    async def run(self, given: contracts.StreamInput) -> None:
        await drain_forever(
            contracts.DELIVER,
            given,
            "Delivery queue",
            task_queue=contracts.EMAIL,
            longest=options.DELIVER_TIMEOUT,
            retry=options.RELAY_RETRY,
        )
