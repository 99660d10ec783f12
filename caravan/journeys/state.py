"""Where an account stands in a journey: one small model.

The same model lives in the workflow, in the traversal's row and in a continued run, so moving an
account, explaining where it is and continuing as new are all reading and writing it.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

CommandKind = Literal["store", "send", "choose", "wait", "listen", "call", "decide"]


class Command(BaseModel):
    """What a node asks for: serve a segment of actions, choose a path, wait, listen, call a service, or
    have a model decide which path.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: CommandKind
    node: str
    visit: int = 1
    segment: int = 0


class Outcome(BaseModel):
    """The recorded answer to a command: one step of a traversal.

    A wait, listen or call has two: ``until`` alone when it is armed, ``edge`` when it is over.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    step_no: int
    command: Command
    edge: str | None = None  # the edge to leave by; None: the node goes on (next segment, or rests)
    until: datetime | None = None
    look_at: datetime | None = None  # while it rests: when to look at the exits again
    at: datetime | None = None
    counts: dict[str, int] = Field(default_factory=dict)  # a default would be copied deeply


class Ended(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    reason: str
    label: str | None = None
    node: str = ""


class Pending(BaseModel):
    """An armed wait or listen, or a call that is not answered yet."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    asked_at: datetime
    until: datetime
    look_at: datetime | None = None  # before that: time alone may have an exit met

    @property
    def wakes_at(self) -> datetime:
        """When there is something to ask the row for, if nothing happens before."""
        return self.until if self.look_at is None else min(self.until, self.look_at)


class State(BaseModel):
    """Position of a traversal.

    ``step_no`` is the number of the next step to be decided; it only grows. ``position`` is None
    once the traversal has ended.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    step_no: int = 1
    position: str | None = None
    segment: int = 0
    visits: dict[str, int] = Field(default_factory=dict)
    arrived_at: datetime | None = None
    pending: Pending | None = None
    ended: Ended | None = None
