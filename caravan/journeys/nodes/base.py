"""What all nodes share: a label, a zone, a limit of visits, and where they lead when nothing is said."""

from pydantic import BaseModel, ConfigDict, Field

from caravan.journeys.control import Target
from caravan.journeys.reading import NAME_LIMIT, Fields, JourneyScope
from caravan.journeys.reasons import ExitReason


class MaxVisits(BaseModel):
    """How often one traversal may come to a node, and where it goes instead when it comes again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(ge=1)
    next: str | None = None
    end: str | None = None


class NodeBase(BaseModel):
    """A node: ``next`` leads on, ``end`` names an outcome; neither is the end without a label."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str | None = None
    zone: str | None = None
    next: str | None = None
    end: str | None = None
    max_visits: MaxVisits | None = None


def read_max_visits(fields: Fields, scope: JourneyScope) -> MaxVisits | None:
    """The key ``max_visits`` of any node: ``{count: 100, next | end}``."""
    if not fields.has("max_visits"):
        return None
    inner = fields.inner("max_visits")
    if inner.fine:
        inner.required("count")
    count = inner.count("count", 1)
    to, end = read_way_on(inner, scope, "max_visits")
    if not inner.finish():
        fields.fine = False
        return None
    return MaxVisits(count=count, next=to, end=end)


def read_way_on(
    fields: Fields, scope: JourneyScope, whose: str = "a node"
) -> tuple[str | None, str | None]:
    """The keys ``next`` and ``end``, of which there may be one.

    Args:
        whose: what it is the way on from, for the message.
    """
    to, end = fields.node("next", scope.conditions), fields.text("end", longest=NAME_LIMIT)
    if fields.raw.get("next") is not None and fields.raw.get("end") is not None:
        fields.problem("bad-value", "next", f"{whose} has next or end, not both")
    return to, end


def target(
    next_node: str | None, end: str | None, reason: ExitReason = ExitReason.COMPLETED
) -> Target:
    """Where ``next``/``end`` lead; ``reason`` is for neither."""
    if next_node is not None:
        return Target(node=next_node)
    if end is not None:
        return Target(reason=ExitReason.COMPLETED, label=end)
    return Target(reason=reason)
