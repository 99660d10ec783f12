"""The pattern all streams share: a long-lived workflow around a draining activity.

Progress is committed by the activity, so a run of it may be lost at any time; NOTIFY wakes it,
polling is the truth; the workflow continues as new when its history has grown.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from workflows import contracts, options, web_ui


async def drain_forever(
    activity: str,
    given: contracts.StreamInput,
    title: str,
    *,
    task_queue: str = contracts.STREAMS,
    longest: timedelta = options.DRAIN_TIMEOUT,
    retry: RetryPolicy = options.STORE_RETRY,
) -> None:
    """Run ``activity`` again and again; never returns but by continuing as new."""
    drained, runs = given.drained, 0
    progress = "looking for the first time"
    while True:
        workflow.set_current_details(web_ui.stream_details(title, given.munchkin, progress))
        reply = await workflow.execute_activity(
            activity,
            contracts.DrainRequest(munchkin=given.munchkin),
            result_type=contracts.DrainReply,
            task_queue=task_queue,
            start_to_close_timeout=longest,
            heartbeat_timeout=options.DRAIN_HEARTBEAT,
            retry_policy=retry,
            summary=title,
        )
        drained, runs = drained + reply.rows, runs + 1
        progress = web_ui.progress(
            drained, reply.waiting, reply.lag_seconds, workflow.now(), reply.note
        )
        if options.long_enough(runs, given.continue_after):
            workflow.continue_as_new(given.model_copy(update={"drained": drained}))
