"""The plan: a published journey as immutable, content-hashed data.

Everything a journey needs to run is in it (conditions, texts, templates, the field catalog), so that
a running account never sees a later edit. ``engine`` numbers the meaning of plans: a change of what
an old plan would do is a new engine.
"""

import hashlib
import json
from functools import cached_property

from pydantic import BaseModel, ConfigDict

from caravan.journeys import nodes
from caravan.journeys.conditions.model import Window
from caravan.journeys.control import ControlPlan
from caravan.journeys.entry import Admit, EntryRules, Reentry
from caravan.journeys.exits import Exit, target_of
from caravan.journeys.fields import FieldCatalog
from caravan.journeys.nodes import Node
from caravan.journeys.schedule import Schedule
from caravan.journeys.service import Service
from caravan.journeys.templates import TemplateDocument

ENGINE = 1


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
    zone_of_account: bool = False  # where an account has a zone of its own, that one counts
    schedule: Schedule
    start: str
    admit: Admit = Admit()
    reentry: Reentry | None = None
    deduplicate_email: bool = False
    nodes: dict[str, Node]
    exits: tuple[Exit, ...] = ()
    catalog: FieldCatalog
    tokens: dict[str, str] = {}
    sender: SenderDocument = SenderDocument()
    postal_address: str = ""
    templates: dict[str, TemplateDocument] = {}
    services: dict[str, Service] = {}

    @property
    def rules(self) -> EntryRules:
        """Who may enter."""
        return EntryRules(admit=self.admit, reentry=self.reentry, zone=self.zone)

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


def begins_with_mail(plan: Plan) -> bool:
    """Whether mail is the first thing an account gets: its start node opens with a segment of it."""
    start = nodes.segment_actions(plan.nodes[plan.start])
    if (
        len(start) < 2 or start[0]
    ):  # it is over without mail, or writes something to the stores first
        return False
    _, _, first = start[1][0]
    return first.sends


def looks_back_at_nodes(part: object) -> bool:
    """Whether a condition anywhere in a plan, or in a part of one, counts ``since`` a node."""
    if isinstance(part, Window):
        return part.since is not None and part.since != "entry"
    if isinstance(part, BaseModel):
        return any(looks_back_at_nodes(value) for _, value in part)
    if isinstance(part, dict):
        return any(map(looks_back_at_nodes, part.values()))
    return isinstance(part, (tuple, list)) and any(map(looks_back_at_nodes, part))


def control_plan(plan: Plan) -> ControlPlan:
    """What a workflow is steered by."""
    return ControlPlan(
        start=plan.start,
        nodes={name: nodes.control(node) for name, node in plan.nodes.items()},
        exits={one.name: target_of(one) for one in plan.exits},
    )
