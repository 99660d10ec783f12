"""The control plan: what a workflow must know of a journey to move an account, and nothing else.

Only kinds and edges; no conditions, content or personal data, for this is recorded in Temporal.
"""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Target(BaseModel):
    """Where an edge leads: to a node, or out of the journey."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    node: str | None = None
    reason: str | None = None  # an ``ExitReason``: set exactly where node is None
    label: str | None = None  # the outcome label of an end


class Segment(StrEnum):
    """A run of actions of one node that is served by one activity."""

    STORE = "store"  # reads and writes of the stores
    SEND = "send"  # leaves the system
    CALL = "call"  # asks an outside service, and waits for its answer


NodeKind = Literal[
    "do", "split_accounts", "split_people", "variants_accounts", "variants_people", "wait", "listen",
    "call", "decide_accounts", "exit",
]  # fmt: skip

#: the edge of an account that has come to a node too often
BEYOND = "max-visits"
#: what the names of exits begin with
EXIT = "exit"


class ControlNode(BaseModel):
    """One node as the workflow sees it.

    ``segments`` are those of action nodes, in order, the first STORE or CALL: it fixes who the
    people of this arrival are. ``edges`` maps an outcome (``next``; a path's number from "1" or
    ``otherwise``; ``timeout``; ``failed``; an event's number from "1"; ``max-visits``) to its target;
    ``names`` gives the label of an edge that has one, for people to read. Who has been there
    ``most_visits`` times goes by ``max-visits`` instead of arriving.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: NodeKind
    label: str = ""
    segments: tuple[Segment, ...] = ()
    edges: dict[str, Target] = {}
    names: dict[str, str] = {}
    most_visits: int | None = None


class ControlPlan(BaseModel):
    """The compact plan a workflow is steered by."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    start: str = ""
    nodes: dict[str, ControlNode] = {}
    exits: dict[str, Target] = {}  # edges that may be taken from any node
