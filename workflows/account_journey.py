"""AccountJourneyWorkflow: one account on its way through one published journey.

A thin driver of the pure core. What the stores decide comes back as outcomes of stretches; sends are
ordinary activities; waits and listens are timers that a signal can cut short. The traversal's row
is the truth: whatever woke the workflow, it asks the row what to do.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from caravan.journeys import core
from caravan.journeys.state import Command, Ended, Outcome, State
from workflows import contracts, options, web_ui

#: signals count towards a run's limits but not towards the server's suggestion to continue as new
MOST_SIGNALS = 2000
#: a shorter rest is over before anybody could look for it: the index of the server lags by a second
SHORTEST_SHOWN = timedelta(seconds=5)


# a workflow that has parted from its traversal's row (a restored database, say) fails, and the
# reconciler starts it again from the row
@workflow.defn(name="AccountJourney", failure_exception_types=[core.StepsDisagree])
class AccountJourneyWorkflow:
    """Moves one account; see the module."""

    @workflow.init
    def __init__(self, given: contracts.AccountJourneyInput) -> None:
        self._given = given
        self._state = given.state or State()
        self._control = given.control
        self._hops = list(given.hops)
        self._version = given.version
        self._decided = 0
        self._woken = 0
        # a continued run asks the row first: a signal to the run before may have gone unserved
        self._served = -1 if given.state is not None else 0
        self._large = False
        self._held_until: datetime | None = None
        self._shown_node = workflow.info().typed_search_attributes.get(web_ui.NODE) or ""

    @workflow.signal(name="wake", description="Look at the traversal's row again")
    def wake(self, message: contracts.Wake) -> None:
        self._woken += 1

    @workflow.query(name="state", description="Where the account stands")
    def state(self) -> State:
        return self._state

    @workflow.run
    async def run(self, given: contracts.AccountJourneyInput) -> Ended:
        self._show()
        while self._state.ended is None:
            if self._held_until is not None:
                await self._rest(self._held_until)
            command = self._command()
            if command is not None and command.kind == "send":
                await self._send(command.node)
            elif self._control is None and self._given.mail_first and not self._given.each_step:
                await self._send("")
            elif self._asks(command):
                await self._call(self._state.position or "")
            elif command is not None and command.kind == "decide":
                await self._decide(self._state.position or "")
            else:
                if self._state.pending is not None:
                    await self._rest(self._state.pending.wakes_at)
                await self._stretch()
            if self._state.ended is None and self._long_enough():
                workflow.continue_as_new(self._continued())
        await workflow.wait_condition(workflow.all_handlers_finished)
        ended = self._state.ended
        workflow.upsert_search_attributes(
            [
                web_ui.OUTCOME.value_set(web_ui.indexed(ended.label or ended.reason)),
                web_ui.NODE.value_unset(),
            ]
        )
        return ended

    def _command(self) -> Command | None:
        if self._control is None:
            return None
        return core.next_command(self._control, self._state)

    async def _stretch(self) -> None:
        """Have the stores do what the row says is due, and follow their outcomes one by one."""
        self._served = self._woken
        early = self._state.pending is not None and workflow.now() < self._state.pending.until
        if self._given.each_step or self._large:
            reply = await self._ask_by_activity()
        else:
            reply = await self._ask_locally()
        self._held_until = reply.held_until
        # a journey may begin with what is not the stores' business: a call
        if not early and self._control is not None:
            self._refuse_idle(reply)
        self._take_over(reply)
        self._large = reply.large
        self._follow(reply.outcomes, reply.ended)
        if reply.more:
            self._served = -1

    async def _ask_locally(self) -> contracts.StretchReply:
        try:
            reply: contracts.StretchReply = await workflow.execute_local_activity(
                contracts.RUN_STRETCH,
                self._stretch_request(),
                result_type=contracts.StretchReply,
                start_to_close_timeout=options.LOCAL_TIMEOUT,
                retry_policy=options.LOCAL_RETRY,
                summary=web_ui.activity_summary(self._control, self._state),
            )
        except FailureError as error:  # on replay it is the bare cause, not an ActivityError
            if is_cancelled_exception(error):
                raise
            reply = await self._ask_by_activity()
        return reply

    async def _ask_by_activity(self) -> contracts.StretchReply:
        reply: contracts.StretchReply = await workflow.execute_activity(
            contracts.RUN_STRETCH,
            self._stretch_request(),
            result_type=contracts.StretchReply,
            start_to_close_timeout=options.STRETCH_TIMEOUT,
            retry_policy=options.STORE_RETRY,
            summary=web_ui.activity_summary(self._control, self._state),
        )
        return reply

    def _stretch_request(self) -> contracts.StretchRequest:
        return contracts.StretchRequest(
            munchkin=self._given.munchkin,
            traversal_id=self._given.traversal_id,
            step_no=self._state.step_no,
            node=self._state.position or "",
            as_of=workflow.now(),
            each_step=self._given.each_step,
            with_plan=self._control is None,
        )

    async def _send(self, node: str) -> None:
        """One activity for all people of the segment, on the queue of what leaves the system."""
        await self._ask_outside(
            contracts.SEND_EMAIL,
            contracts.SendRequest(**self._outside(node), with_plan=self._control is None),
            contracts.SendReply,
            task_queue=contracts.EMAIL,
            start_to_close_timeout=options.SEND_TIMEOUT,
            heartbeat_timeout=options.SEND_HEARTBEAT,
            retry_policy=options.RELAY_RETRY,
            summary=web_ui.send_summary(self._control, node),
            priority=options.in_turn(workflow.info().workflow_id),
        )

    def _asks(self, command: Command | None) -> bool:
        """Whether a service is to be asked; once it is, the account rests until it answers."""
        return command is not None and command.kind == "call" and self._state.pending is None

    async def _call(self, node: str) -> None:
        """One activity for all requests of the node, on the queue of what calls services."""
        await self._ask_outside(
            contracts.CALL_SERVICE,
            contracts.CallRequest(**self._outside(node)),
            contracts.CallReply,
            task_queue=contracts.CALLS,
            start_to_close_timeout=options.CALL_TIMEOUT,
            heartbeat_timeout=options.CALL_HEARTBEAT,
            retry_policy=options.CALL_RETRY,
            summary=web_ui.call_summary(self._control, node),
        )

    async def _decide(self, node: str) -> None:
        """One activity that asks a model, on the queue of what does."""
        await self._ask_outside(
            contracts.DECIDE,
            contracts.DecideRequest(**self._outside(node)),
            contracts.DecideReply,
            task_queue=contracts.DECISIONS,
            start_to_close_timeout=options.DECIDE_TIMEOUT,
            heartbeat_timeout=options.DECIDE_HEARTBEAT,
            retry_policy=options.DECIDE_RETRY,
            summary=web_ui.decide_summary(self._control, node),
            priority=options.in_turn(workflow.info().workflow_id),
        )

    def _outside(self, node: str) -> dict[str, Any]:
        """What every request says that leaves the stores."""
        return {
            "munchkin": self._given.munchkin,
            "traversal_id": self._given.traversal_id,
            "step_no": self._state.step_no,
            "node": node,
            "as_of": workflow.now(),
            "go_on": not self._given.each_step,
        }

    async def _ask_outside(
        self,
        activity: str,
        request: contracts.OutsideRequest,
        result_type: type[contracts.ServedReply],
        **how: Any,
    ) -> None:
        """Have an activity do what leaves the stores, and follow what came of it."""
        if self._shown_node:
            self._show_node()
        woken = self._woken
        reply = await workflow.execute_activity(activity, request, result_type=result_type, **how)
        self._follow_what_left(reply, woken)

    def _follow_what_left(self, reply: contracts.ServedReply, woken: int) -> None:
        """Follow a reply of what leaves the system; ``woken``: the wake-ups before it was asked."""
        if self._control is not None:  # what a journey begins with may be nothing at all
            self._refuse_idle(reply)
        self._take_over(reply)
        self._large = reply.large
        self._held_until = reply.held_until
        if reply.held_until is not None:
            self._served = woken
        self._follow(reply.outcomes, reply.ended)
        if reply.more:
            self._served = -1

    def _refuse_idle(self, reply: contracts.ServedReply) -> None:
        """Do not ask for ever a row that has nothing to do where we stand: a restored one, say."""
        nothing = not reply.outcomes and reply.ended is None and reply.held_until is None
        if nothing and not reply.large and not reply.more and reply.moved is None:
            raise core.StepsDisagree(
                "the traversal's row has nothing to do where its workflow stands"
            )

    def _take_over(self, reply: contracts.ServedReply) -> None:
        """Take the plan of a reply, and where the account has moved to another version its state there."""
        if reply.control is not None:
            self._control = reply.control
        if reply.moved is None:
            return
        self._state = reply.moved.state
        self._version = reply.moved.version
        self._decided += 1
        self._hops.append(web_ui.move_hop(self._control, reply.moved))
        workflow.upsert_search_attributes([web_ui.VERSION.value_set(reply.moved.version)])

    async def _rest(self, until: datetime) -> None:
        """Sleep until a wait or listen is over, or until someone says the row has changed."""
        left = until - workflow.now()
        if left <= timedelta(0) or self._woken != self._served:
            return
        if left >= SHORTEST_SHOWN or self._shown_node:
            self._show_node()
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._woken != self._served,
                timeout=left,
                timeout_summary=web_ui.rest_summary(self._control, self._state, until),
            )

    def _follow(self, outcomes: tuple[Outcome, ...], ended: Ended | None) -> None:
        assert self._control is not None
        if self._state.position is None and self._state.ended is None and self._control.start:
            self._state = core.begin(self._control, self._given.entered_at or workflow.now())
        for outcome in outcomes:
            self._state = core.apply(self._control, self._state, outcome)
            self._hops.append(web_ui.hop(self._control, outcome))
        self._decided += len(outcomes)
        if ended is not None and self._state.ended is None:
            self._state = self._state.model_copy(
                update={"ended": ended, "position": None, "pending": None}
            )
        del self._hops[: -web_ui.HOPS_SHOWN]
        self._show()

    def _show_node(self) -> None:
        """Let operators find the accounts that rest at a node."""
        node = self._state.position or ""
        if node != self._shown_node:
            self._shown_node = node
            workflow.upsert_search_attributes([web_ui.NODE.value_set(web_ui.indexed(node))])

    def _show(self) -> None:
        workflow.set_current_details(
            web_ui.details(
                self._given.title,
                self._control,
                self._state,
                tuple(self._hops),
                held=self._held_until is not None,
                version=self._version,
            )
        )

    def _long_enough(self) -> bool:
        limit = self._given.continue_after
        return (
            workflow.info().is_continue_as_new_suggested()
            or self._woken >= MOST_SIGNALS
            or (limit is not None and self._decided >= limit)
        )

    def _continued(self) -> contracts.AccountJourneyInput:
        return self._given.model_copy(
            update={
                "state": self._state,
                "control": self._control,
                "hops": tuple(self._hops),
                "version": self._version,
            }
        )
