"""Time-outs and retries, in one place and by reason."""

import hashlib
from datetime import timedelta

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy

#: the stores may be away for hours: try on, an account is never expelled for an outage
STORE_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=30)
)
#: a relay that cannot be reached delays the account and loses nothing
RELAY_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)
)

#: a stretch that has not come through after these tries goes on as an ordinary activity: the server
#: retries that without a line in the history, and it knows since when (the schedule-to-close time-out
#: of a local activity is not kept across its retries, so tries are counted)
LOCAL_TIMEOUT = timedelta(seconds=5)
LOCAL_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    maximum_interval=timedelta(seconds=1),
    maximum_attempts=5,
)
STRETCH_TIMEOUT = timedelta(minutes=2)
SEND_TIMEOUT = timedelta(hours=2)
#: the activity beats while it waits for the relay too (which may take 10 minutes for its final reply,
#: RFC 5321 §4.5.3.2), so a killed worker is noticed within seconds
SEND_HEARTBEAT = timedelta(seconds=10)

#: a service that is away delays the account until the call's time is up; the time is kept by the row
CALL_TIMEOUT = timedelta(minutes=10)
CALL_HEARTBEAT = timedelta(seconds=10)
CALL_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)
)

#: one try of a decision; a model has so long for all it is asked in it (AI_TIMEOUT, at most 10 minutes), and how
#: many tries there are, and until when, is kept by the row
DECIDE_TIMEOUT = timedelta(minutes=15)
DECIDE_HEARTBEAT = timedelta(seconds=10)
DECIDE_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=1)
)

DRAIN_TIMEOUT = timedelta(minutes=5)
#: the delivery queue waits for a relay as a send does
DELIVER_TIMEOUT = SEND_TIMEOUT
DRAIN_HEARTBEAT = timedelta(seconds=10)


#: of a fairness key, for the server
LONGEST_KEY = 64


def in_turn(workflow_id: str) -> Priority:
    """Of what leaves the system, journeys take turns: a large one does not keep a small one waiting.

    By what the workflow's id begins with: kind, subscription, slug. It orders dispatch alone; a server without
    `matching.enableFairness` serves in order of arrival.
    """
    journey = "/".join(workflow_id.split("/")[:3])
    if len(journey.encode()) > LONGEST_KEY:
        journey = hashlib.sha256(journey.encode()).hexdigest()
    return Priority(fairness_key=journey)


def long_enough(runs: int, limit: int | None) -> bool:
    """Whether a stream's run should continue as new: the server suggests it, or a limit is reached."""
    return workflow.info().is_continue_as_new_suggested() or (limit is not None and runs >= limit)
