"""What an activity of a traversal replies, and tells operators on the way."""

from typing import TypeVar

import structlog

from activities import counters
from caravan.campaigns.served import Served
from workflows.contracts import ServedReply

R = TypeVar("R", bound=ServedReply)

log = structlog.get_logger("caravan.stretch")


def reply(kind: type[R], served: Served, *, with_plan: bool = False) -> R:
    """A reply of what was served, which is noted.

    Args:
        with_plan: the workflow has none yet; it is also told where the account has moved to another version.
    """
    _note(served)
    return kind(
        outcomes=tuple(served.outcomes),
        ended=served.ended,
        control=served.control if with_plan or served.moved else None,
        more=served.more,
        large=served.large,
        held_until=served.held_until,
        moved=served.moved,
    )


def _note(served: Served) -> None:
    """A line of the log and the counters."""
    for outcome in served.outcomes:
        log.debug("step", node=outcome.command.node, kind=outcome.command.kind, edge=outcome.edge)
        counters.add(counters.STEPS, 1, kind=outcome.command.kind)
    ended = served.ended
    if ended is not None:
        log.info("account left", node=ended.node, reason=ended.reason, label=ended.label)
        counters.add(counters.LEFT, 1, reason=ended.reason)
