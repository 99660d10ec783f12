"""Counters for operators, kept by Temporal's own metric meter: no other exporter is needed.

They count what this process did; gauges of how things stand are in ``activities.gauges``.
"""

from temporalio import activity

STARTED = ("caravan_accounts_started", "Workflows of admitted accounts started")
LEFT = ("caravan_accounts_left", "Accounts that left a journey, by reason")
STEPS = ("caravan_steps", "Steps served, by kind of command")
MAILS = ("caravan_mails", "Mails by what became of them")
SYNCED = ("caravan_changes_synced", "Changes taken to the Platform")
FOLLOWED = ("caravan_changes_followed", "Changes of the Platform followed")
KEPT = ("caravan_group_questions_answered", "Accounts whose buying groups were looked at")
WOKEN = ("caravan_wakeups_sent", "Wake-ups sent to resting accounts")
MENDED = ("caravan_accounts_mended", "Accounts whose workflow was gone, by what was done")
STOPPED = ("caravan_journeys_stopped", "Journeys paused because their messages fail")


def add(counter: tuple[str, str], number: int, **attributes: str) -> None:
    """Add to a counter from inside an activity; the series bears the subscription too."""
    if number:
        meter = activity.metric_meter()
        meter.create_counter(*counter).add(number, attributes)
