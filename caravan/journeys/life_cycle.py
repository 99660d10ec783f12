"""The life of a journey: which command is allowed in which state, and why another is not.

::

    draft ──publish──▶ scheduled ──start──▶ live ──close, end──▶ closed ──all have left──▶ finished
                           └────────────────┴──────abort────────────┴──▶ aborted

Paused is a flag beside scheduled, live and closed. Nothing returns to draft (product.md §2.1).
"""

from typing import Literal

State = Literal["draft", "scheduled", "live", "closed", "finished", "aborted"]
Command = Literal["publish", "pause", "resume", "close", "abort", "delete"]

RUNNING: tuple[State, ...] = ("scheduled", "live", "closed")
#: a version that takes no entries any more and never will
ENDED: tuple[State, ...] = ("closed", "finished", "aborted")

ALLOWED: dict[Command, tuple[State, ...]] = {
    "publish": ("draft",),
    "pause": RUNNING,
    "resume": RUNNING,
    "close": ("live",),
    "abort": RUNNING,
    "delete": ("draft", "finished", "aborted"),
}

#: states that a command would lead to: giving it again changes nothing
ALREADY: dict[Command, tuple[State, ...]] = {
    "publish": ("scheduled", "live"),
    "close": ("closed", "finished"),
    "abort": ("aborted",),
}

_WHY: dict[State, str] = {
    "draft": "it is a draft, publish or delete it",
    "scheduled": "it has not begun, abort it",
    "live": "it is live, close or abort it first",
    "closed": "it is closed to new entries and accounts are inside: wait until they have left, or abort it",
    "finished": "it has finished, publish a new version with --reopen",
    "aborted": "it was aborted and never goes on, publish a new version with --reopen",
}

_REOPEN = "it has ended; --reopen publishes it as a new version"


class Refused(Exception):
    """A command that the state of a journey forbids; the message says why and what can be done."""


class NoJourney(LookupError):
    """There is no journey of that slug."""


def check(command: Command, slug: str, state: State) -> bool:
    """Whether a command changes a journey in this state; False where it is so already.

    Raises:
        Refused: the state forbids it.
    """
    if state in ALLOWED[command]:
        return True
    if state in ALREADY.get(command, ()):
        return False
    why = _REOPEN if command == "publish" else _WHY[state]
    raise Refused(f"{slug} cannot be {_DONE[command]}: {why}")


_DONE: dict[Command, str] = {
    "publish": "published",
    "pause": "paused",
    "resume": "resumed",
    "close": "closed",
    "abort": "aborted",
    "delete": "deleted",
}
