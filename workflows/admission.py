"""AdmissionWorkflow: one per published journey version; lets accounts in.

First the data flow: the Platform builds the segment of the audience's people, then its accounts,
people, relations and opportunities come into the engage store. From then on whoever qualifies is
admitted, until the journey takes no more entries.
"""

from temporalio import workflow

from workflows import contracts, options, web_ui


@workflow.defn(name="Admission")
class AdmissionWorkflow:
    """Admits accounts to one journey; see the module."""

    @workflow.run
    async def run(self, given: contracts.AdmissionInput) -> contracts.AdmissionReply:
        if not given.prepared:
            self._show(given, "The Platform builds the segment of the audience's people")
            segment = await self._activity(contracts.BUILD_SEGMENT, given, "Build segment")
            self._show(
                given,
                f"Segment of {segment.accounts} accounts and {segment.people} people is built; "
                "they are brought into the engage store",
            )
            await self._activity(contracts.BRING_IN, given, "Bring in accounts")
        admitted, runs = given.admitted, 0
        while True:
            self._show(
                given, f"**{admitted}** accounts admitted; who qualifies enters within seconds"
            )
            reply = await self._activity(contracts.ADMIT, given, "Admit accounts")
            admitted, runs = admitted + reply.accounts, runs + 1
            if reply.over:
                self._show(
                    given, f"**{admitted}** accounts admitted; the journey takes no more entries"
                )
                return contracts.AdmissionReply(accounts=admitted, over=True)
            if options.long_enough(runs, given.continue_after):
                workflow.continue_as_new(
                    given.model_copy(update={"prepared": True, "admitted": admitted})
                )

    async def _activity(
        self, name: str, given: contracts.AdmissionInput, summary: str
    ) -> contracts.AdmissionReply:
        reply: contracts.AdmissionReply = await workflow.execute_activity(
            name,
            contracts.AdmissionRequest(
                munchkin=given.munchkin, journey_id=given.journey_id, as_of=workflow.now()
            ),
            result_type=contracts.AdmissionReply,
            task_queue=contracts.STREAMS,
            start_to_close_timeout=options.DRAIN_TIMEOUT,
            heartbeat_timeout=options.DRAIN_HEARTBEAT,
            retry_policy=options.STORE_RETRY,
            summary=summary,
        )
        return reply

    def _show(self, given: contracts.AdmissionInput, line: str) -> None:
        workflow.set_current_details(web_ui.stream_details(given.title, given.munchkin, line))
