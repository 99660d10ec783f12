"""What all nodes share: a label, a zone, and where they lead when nothing else is said."""

from pydantic import BaseModel, ConfigDict

from caravan.journeys.control import Target


class NodeBase(BaseModel):
    """A node: ``next`` leads on, ``end`` names an outcome; neither is the end without a label."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str | None = None
    zone: str | None = None
    next: str | None = None
    end: str | None = None


def target(next_node: str | None, end: str | None, reason: str = "completed") -> Target:
    """Where ``next``/``end`` lead; ``reason`` is for neither."""
    if next_node is not None:
        return Target(node=next_node)
    if end is not None:
        return Target(reason="completed", label=end)
    return Target(reason=reason)
