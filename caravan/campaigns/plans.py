"""Plans as a process holds them: read once by hash, their conditions compiled once per place.

A plan is immutable, so nothing here is ever stale; the cache is bounded.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from caravan.campaigns import locking_ahead
from caravan.delivery.compose import CompiledTemplate, compile_body
from caravan.engage import communication_limits, sql
from caravan.engage.communication_limits import NO_COMMUNICATION_LIMITS, CommunicationLimits
from caravan.engage.copies import hash_of
from caravan.engage.plans import load_plan
from caravan.journeys.conditions.binder import Binder, RowsBinder
from caravan.journeys.control import ControlPlan
from caravan.journeys.plan import Plan, control_plan, looks_back_at_nodes
from caravan.journeys.templates import TemplateDocument
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


@dataclass(frozen=True)
class RowsQuery:
    """Generated SQL that asks the same of many rows in one statement."""

    sql: str
    binder: RowsBinder

    async def fetch(self, conn: Any, rows: Sequence[Mapping[str, Any]]) -> list[tuple[int, Any]]:
        """What was found, each with the place of the row it was found for."""
        found = await conn.fetch(self.sql, *self.binder.args_of(rows))
        return [(one["place"] - 1, one) for one in found]


@dataclass
class LoadedPlan:
    """A plan with what was derived from it in this process."""

    plan: Plan
    control: ControlPlan
    looks_at_steps: bool  # a condition may ask when the account came to a node
    locks_ahead: bool  # its actions record for one person after another, or change groups besides
    _queries: dict[tuple[object, ...], Query] = field(default_factory=dict)
    _rows_queries: dict[tuple[object, ...], RowsQuery] = field(default_factory=dict)
    _templates: dict[str, CompiledTemplate] = field(default_factory=dict)

    def zones(self, own: object) -> Zones:
        """Whose clock counts for an account that says this of itself."""
        return Zones(self.plan.zone, own, self.plan.zone_of_account)

    def zone_at(self, node: str, zones: Zones) -> str:
        """Whose days are meant at a node."""
        there = self.plan.nodes.get(node)
        return zones.of(there.zone if there else None)

    def rows_query(
        self, place: tuple[object, ...], build: Callable[[Binder], str], zone: str
    ) -> RowsQuery:
        """The compiled query of a place in the plan, for many rows at once that mean a zone's days."""
        key = (zone, *place)
        if key not in self._rows_queries:
            binder = RowsBinder(zone)
            text = build(binder)
            self._rows_queries[key] = RowsQuery(
                f"select given.place, found.* from {binder.given()} cross join lateral ({text}) found",
                binder,
            )
        return self._rows_queries[key]

    def query(
        self, place: tuple[object, ...], build: Callable[[Binder], str], zones: Zones
    ) -> Query:
        """The compiled query of a place in the plan, whose days are those of its node's zone."""
        zone = self.zone_at(str(place[1]), zones)
        key = (zone, *place)
        if key not in self._queries:
            binder = Binder(zone)
            self._queries[key] = Query(build(binder), binder)
        return self._queries[key]

    def template(self, slug: str) -> CompiledTemplate:
        if slug not in self._templates:
            self._templates[slug] = compile_body(self.plan.templates[slug])
        return self._templates[slug]


@dataclass(frozen=True)
class Copy:
    """The copy of a template that was changed in a version that runs; ``number`` of those of the version."""

    number: int
    template: CompiledTemplate


#: by the template's slug; those that were not changed are the plan's
Copies = Mapping[str, Copy]


Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class _Kept(Generic[Key, Value]):
    """So many values by their keys, least recently used leaving first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def __contains__(self, key: Key) -> bool:
        return key in self._values

    def __getitem__(self, key: Key) -> Value:
        self._values.move_to_end(key)
        return self._values[key]

    def __setitem__(self, key: Key, value: Value) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._most:
            self._values.popitem(last=False)


class PlanCache:
    """The plans this process works with, by hash, least recently used leaving first.

    With the copy that was changed in them since, by hash too, and the communication limits in force.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._plans: _Kept[str, LoadedPlan] = _Kept(kept)
        self._copies: _Kept[str, Copies] = _Kept(kept)
        self._limits: _Kept[str | None, CommunicationLimits] = _Kept(kept)
        self._numbered: _Kept[tuple[int, int], Copy] = _Kept(kept)

    async def load(self, conn: Any, plan_hash: str) -> LoadedPlan:
        if plan_hash not in self._plans:
            plan = await load_plan(conn, plan_hash)
            self._plans[plan_hash] = LoadedPlan(
                plan,
                control_plan(plan),
                looks_at_steps=looks_back_at_nodes(plan),
                locks_ahead=locking_ahead.is_called_for(plan),
            )
        return self._plans[plan_hash]

    async def copies(self, conn: Any, journey_id: int, copies_hash: str | None) -> Copies:
        """The copy that was changed in a version, by the hash of its row; none costs no question.

        Read in a statement of its own, it may be newer than the hash: then it is used, but not kept, for
        another version whose copies have that hash would be sent this one's.
        """
        if copies_hash is None:
            return {}
        if copies_hash in self._copies:
            return self._copies[copies_hash]
        rows = await sql.fetch(conn, "live_copies", journey_id=journey_id)
        copies = {
            row["template"]: Copy(
                row["copy"], compile_body(TemplateDocument.model_validate(row["body"]))
            )
            for row in rows
        }
        if hash_of({row["template"]: (row["copy"], row["body"]) for row in rows}) == copies_hash:
            self._copies[copies_hash] = copies
        return copies

    async def limits(self, conn: Any, limits_hash: str | None) -> CommunicationLimits:
        """The communication limits that hold, by their hash; none costs no question."""
        if limits_hash is None:
            return NO_COMMUNICATION_LIMITS
        if limits_hash in self._limits:
            return self._limits[limits_hash]
        # where others have been put in force meanwhile, it is those
        found, in_force = await communication_limits.in_force(conn)
        self._limits[found] = in_force
        return in_force

    async def copy(self, conn: Any, journey_id: int, number: int) -> Copy:
        """One copy by its number, for a message that was claimed with it."""
        key = (journey_id, number)
        if key not in self._numbered:
            row = await sql.fetchrow(conn, "copy_numbered", journey_id=journey_id, copy=number)
            body = TemplateDocument.model_validate(row["body"])
            self._numbered[key] = Copy(number, compile_body(body))
        return self._numbered[key]
