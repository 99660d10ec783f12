"""Plans as a process holds them: read once by hash, their conditions compiled once per place.

A plan is immutable, so nothing here is ever stale; the cache is bounded.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from caravan.delivery.compose import CompiledTemplate, compile_body
from caravan.engage.journeys import load_plan_body
from caravan.journeys.conditions.sql import Binder
from caravan.journeys.control import ControlPlan
from caravan.journeys.plan import Plan, control_plan, looks_back_at_nodes
from caravan.journeys.zones import Zones

KEPT = 200


@dataclass(frozen=True)
class Query:
    """Generated SQL and the binder that knows the order of its parameters."""

    sql: str
    binder: Binder

    async def fetch(self, conn: Any, **values: Any) -> list[Any]:
        return list(await conn.fetch(self.sql, *self.binder.args(**values)))

    async def fetchrow(self, conn: Any, **values: Any) -> Any:
        return await conn.fetchrow(self.sql, *self.binder.args(**values))


@dataclass
class LoadedPlan:
    """A plan with what was derived from it in this process."""

    plan: Plan
    control: ControlPlan
    looks_at_steps: bool  # a condition may ask when the account came to a node
    _queries: dict[tuple[object, ...], Query] = field(default_factory=dict)
    _templates: dict[str, CompiledTemplate] = field(default_factory=dict)

    def zones(self, own: object) -> Zones:
        """Whose clock counts for an account that says this of itself."""
        return Zones(self.plan.zone, own, self.plan.zone_of_account)

    def query(
        self, place: tuple[object, ...], build: Callable[[Binder], str], zones: Zones
    ) -> Query:
        """The compiled query of a place in the plan, whose days are those of its node's zone."""
        node = self.plan.nodes.get(str(place[1]))
        zone = zones.of(node.zone if node else None)
        key = (zone, *place)
        if key not in self._queries:
            binder = Binder(zone)
            self._queries[key] = Query(build(binder), binder)
        return self._queries[key]

    def template(self, slug: str) -> CompiledTemplate:
        if slug not in self._templates:
            self._templates[slug] = compile_body(self.plan.templates[slug])
        return self._templates[slug]


class PlanCache:
    """The plans this process works with, by hash, least recently used leaving first."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._plans: OrderedDict[str, LoadedPlan] = OrderedDict()

    async def load(self, conn: Any, plan_hash: str) -> LoadedPlan:
        if plan_hash in self._plans:
            self._plans.move_to_end(plan_hash)
            return self._plans[plan_hash]
        plan = Plan.model_validate(await load_plan_body(conn, plan_hash))
        loaded = LoadedPlan(plan, control_plan(plan), looks_back_at_nodes(plan))
        self._plans[plan_hash] = loaded
        while len(self._plans) > self._kept:
            self._plans.popitem(last=False)
        return loaded
