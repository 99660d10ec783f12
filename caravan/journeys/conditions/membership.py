"""Keeping the members of something conditional up to date: who leaves, who joins, when to look again.

The same statements serve the Platform's audiences and the engage store's dynamic lists. Membership is
a table of the store; whoever qualifies gets a row with the instant. Where a condition may change by
the passing of time alone, the next such instant is kept with the subject and looked at when due.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from caravan.journeys.conditions.binder import Binder
from caravan.journeys.conditions.model import AccountIs, All, Condition, InAudience, PersonIs
from caravan.journeys.conditions.sql import Fragment, compile_condition


@dataclass(frozen=True)
class Membership:
    """What is kept, and where.

    ``key`` are the columns that name it in ``members`` and ``flips``, with their values; both tables
    have ``subject_id`` besides, and ``qualified_at`` or ``next_flip``. ``departures``, where there is
    such a table, gets who leaves, with ``left_at``. Statements take ``as_of`` and what ``subjects``
    asks for: of ``named`` ones ``subject_ids``, of those ``between`` two ids ``after`` and ``upto``.
    """

    of: Literal["accounts", "people"]
    condition: Condition
    zone: str
    members: str
    flips: str
    key: Mapping[str, str]
    subjects: Literal["all", "named", "between"] = "all"
    departures: str | None = None
    audiences: Mapping[str, Condition] | None = None

    def select(self) -> "Statement":
        """Those who match, in order of id."""
        binder = Binder(self.zone)
        return Statement(f"{self._matching(binder)} order by {self._alias}.id", binder)

    def leave(self) -> "Statement":
        """Those who are members and no longer match."""
        binder = Binder(self.zone)
        named = " and ".join(
            f"m.{column} = {binder.literal(value, 'text')}" for column, value in self.key.items()
        )
        matching = f"with matching as materialized ({self._matching(binder)})"
        leaving = (
            f"delete from {self.members} m where {named}"
            f" and {self._among_chosen('m.subject_id', binder)}"
            " and not exists (select from matching where matching.id = m.subject_id)"
        )
        if self.departures is None:
            return Statement(f"{matching} {leaving}", binder)
        return Statement(
            f"{matching}, departed as ({leaving} returning m.subject_id, m.qualified_at)"
            f" insert into {self.departures} ({', '.join(self.key)}, subject_id, qualified_at, left_at)"
            f" select {self._named(binder)}, subject_id, qualified_at, {_as_of(binder)} from departed",
            binder,
        )

    def join(self) -> "Statement":
        """Those who match and are no members yet, with the instant; they come back."""
        binder = Binder(self.zone)
        return Statement(
            f"insert into {self.members} ({', '.join(self.key)}, subject_id, qualified_at)"
            f" select {self._named(binder)}, matching.id, {_as_of(binder)}"
            f" from ({self._matching(binder)}) matching on conflict do nothing returning subject_id",
            binder,
        )

    def look_again(self) -> "Statement | None":
        """When each may change by time alone; None where time has no say.

        Whoever fails a part that time has no say in stays out until data changes, and is looked at then.
        """
        binder = Binder(self.zone)
        parts = list(_conjuncts(self.condition, self.of, self.audiences or {}))
        timed = [one for one in parts if self._fragment(one, Binder(self.zone), flips=True).flips]
        if not timed:
            return None
        lasting = [
            f"({self._fragment(one, binder).predicate})" for one in parts if one not in timed
        ]
        chosen = " and ".join([self._chosen(binder), *lasting])
        fragment = self._fragment(All(of=tuple(timed)), binder, flips=True)
        soonest = f"least({', '.join(fragment.flips)})"
        # the offset keeps it from being reckoned twice
        due = (
            f"select {self._alias}.id, {soonest} as next_flip"
            f" from {self.of} {self._alias} where {chosen} offset 0"
        )
        return Statement(
            f"insert into {self.flips} ({', '.join(self.key)}, subject_id, next_flip)"
            f" select {self._named(binder)}, due.id, due.next_flip"
            f" from ({due}) due where due.next_flip is not null"
            f" on conflict ({', '.join(self.key)}, subject_id)"
            " do update set next_flip = excluded.next_flip",
            binder,
        )

    @property
    def _alias(self) -> str:
        return "a" if self.of == "accounts" else "p"

    def _fragment(self, condition: Condition, binder: Binder, *, flips: bool = False) -> Fragment:
        return compile_condition(
            condition,
            "account" if self.of == "accounts" else "person",
            binder,
            travelling=False,
            flips=flips,
            audiences=self.audiences,
            picking=True,
            of_all=self.subjects == "all",
        )

    def _matching(self, binder: Binder) -> str:
        return (
            f"select {self._alias}.id from {self.of} {self._alias}"
            f" where {self._chosen(binder)} and ({self._fragment(self.condition, binder).predicate})"
        )

    def _chosen(self, binder: Binder) -> str:
        among = self._among_chosen(f"{self._alias}.id", binder)
        return f"{among} and {self._alias}.deleted_at is null"

    def _among_chosen(self, column: str, binder: Binder) -> str:
        """Whether a subject is one of those asked about."""
        if self.subjects == "all":
            return "true"
        if self.subjects == "named":
            return f"{column} = any({binder.named('subject_ids', 'bigint[]')})"
        after, upto = binder.named("after", "bigint"), binder.named("upto", "bigint")
        return f"{column} > {after} and {column} <= {upto}"

    def _named(self, binder: Binder) -> str:
        return ", ".join(binder.literal(value, "text") for value in self.key.values())


@dataclass(frozen=True)
class Statement:
    """Generated SQL with the binder that knows its parameters."""

    sql: str
    binder: Binder


def _conjuncts(
    condition: Condition, of: str, audiences: Mapping[str, Condition]
) -> Iterator[Condition]:
    """The parts that all have to hold, also those of the audiences named and of one record's tests."""
    match condition:
        case All(of=parts):
            for part in parts:
                yield from _conjuncts(part, of, audiences)
        case InAudience(audience=name) if name in audiences:
            others = {slug: one for slug, one in audiences.items() if slug != name}
            yield from _conjuncts(audiences[name], of, others)
        case AccountIs(tests=tests) if of == "accounts":
            yield from (AccountIs(tests={field: test}) for field, test in tests.items())
        case PersonIs(tests=tests) if of == "people":
            yield from (PersonIs(tests={field: test}) for field, test in tests.items())
        case _:
            yield condition


def _as_of(binder: Binder) -> str:
    return binder.named("as_of", "timestamptz")
