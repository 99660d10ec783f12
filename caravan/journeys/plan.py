"""The plan: a published journey as immutable, content-hashed data.

Everything a journey needs to run is in it (conditions, texts, templates, the field catalog), so that
a running account never sees a later edit. ``engine`` numbers the meaning of plans: a change of what
an old plan would do is a new engine.
"""

import hashlib
import json
from datetime import datetime
from functools import cached_property

from pydantic import BaseModel, ConfigDict

from caravan.journeys import nodes
from caravan.journeys.control import ControlPlan
from caravan.journeys.durations import Duration
from caravan.journeys.fields import FieldCatalog
from caravan.journeys.nodes import Node
from caravan.journeys.templates import TemplateDocument

ENGINE = 1


class Schedule(BaseModel):
    """When a journey takes accounts; ``end`` an instant, or a duration after the start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: datetime | None = None  # None: now
    end: datetime | Duration | None = None
    grace: Duration | None = None


class SenderDocument(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    email: str = ""
    reply_to: str | None = None


class Plan(BaseModel):
    model_config = ConfigDict(frozen=True)

    engine: int = ENGINE
    journey: str
    name: str
    audience: str
    of_list: bool = False  # the audience is a list of accounts
    requested: bool = False  # a campaign: travelled on request, for the people it is requested for
    zone: str
    schedule: Schedule
    start: str
    nodes: dict[str, Node]
    catalog: FieldCatalog
    tokens: dict[str, str] = {}
    sender: SenderDocument = SenderDocument()
    postal_address: str = ""
    templates: dict[str, TemplateDocument] = {}

    @cached_property
    def hash(self) -> str:
        """The SHA-256 of its canonical JSON, in hex."""
        canonical = json.dumps(
            self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return hashlib.sha256(canonical.encode()).hexdigest()

    @cached_property
    def removing(self) -> frozenset[str]:
        """The nodes whose actions remove the account from other journeys."""
        return frozenset(
            name
            for name, node in self.nodes.items()
            for segment in nodes.segment_actions(node)
            for _, _, action in segment
            if action.kind == "remove_from_journey"
        )


def control_plan(plan: Plan) -> ControlPlan:
    """What a workflow is steered by."""
    return ControlPlan(
        start=plan.start,
        nodes={name: nodes.control(node) for name, node in plan.nodes.items()},
    )
