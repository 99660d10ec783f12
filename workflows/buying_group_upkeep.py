"""BuyingGroupUpkeepWorkflow: the daily run over all groups, started by the subscription's schedule.

What changes with time alone: the scale that engagement goes by, and whom a role fits that asks how long ago
something was. Every account is put in question, and the run follows until each has been looked at; what it
does is committed page by page, so it may be killed anywhere.
"""

from temporalio import workflow

from workflows import contracts, options, web_ui

TITLE = "Buying-group upkeep"


@workflow.defn(name="BuyingGroupUpkeep")
class BuyingGroupUpkeepWorkflow:
    """See the module."""

    @workflow.run
    async def run(self, given: contracts.UpkeepInput) -> contracts.UpkeepReply:
        request = contracts.UpkeepRequest(munchkin=given.munchkin, as_of=workflow.now())
        renewed = contracts.UpkeepReply(waiting=1)
        rows = 0
        while renewed.waiting:
            self._show(given, f"**{rows}** rows brought up to today's scale of engagement")
            renewed = await self._activity(contracts.RENEW_ENGAGEMENT, request, "Renew the scale")
            rows += renewed.rows
        asked = await self._activity(contracts.QUESTION_GROUPS, request, "Ask for everybody")
        waiting = asked.rows
        while waiting:
            looked_at = max(asked.rows - waiting, 0)
            self._show(given, f"**{looked_at}** of **{asked.rows}** accounts looked at")
            reply = await self._activity(
                contracts.FOLLOW_UPKEEP,
                request.model_copy(update={"last": asked.last, "accounts": asked.rows}),
                "Look at groups",
            )
            waiting = reply.waiting
        self._show(given, f"**{asked.rows}** of **{asked.rows}** accounts looked at")
        return contracts.UpkeepReply(rows=asked.rows)

    async def _activity(
        self, name: str, request: contracts.UpkeepRequest, summary: str
    ) -> contracts.UpkeepReply:
        reply: contracts.UpkeepReply = await workflow.execute_activity(
            name,
            request,
            result_type=contracts.UpkeepReply,
            task_queue=contracts.STREAMS,
            start_to_close_timeout=options.DRAIN_TIMEOUT,
            heartbeat_timeout=options.DRAIN_HEARTBEAT,
            retry_policy=options.STORE_RETRY,
            summary=summary,
        )
        return reply

    def _show(self, given: contracts.UpkeepInput, line: str) -> None:
        workflow.set_current_details(web_ui.stream_details(TITLE, given.munchkin, line))
