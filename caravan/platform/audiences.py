"""Audiences: conditions over the sandbox, evaluated as a whole or for just the accounts touched.

Membership is a table; whoever qualifies gets a row with the instant. Where a condition may change by
the passing of time alone, the next such instant is kept with the account and looked at when due.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from caravan.database import outbox
from caravan.journeys.conditions.model import Condition
from caravan.journeys.conditions.sql import Binder, Fragment, compile_condition
from caravan.journeys.documents import AudienceDocument
from caravan.platform import sql

_condition: TypeAdapter[Condition] = TypeAdapter(Condition)


async def store(conn: Any, document: AudienceDocument, zone: str, at: datetime) -> None:
    """Store an audience.

    An edited one is evaluated anew for everybody: live journeys follow the outbox, so everybody is
    put into it. Journeys may use it also by way of another audience, hence no narrower choice.

    Args:
        conn: of the sandbox, in a transaction.
        document: what the workspace says.
        zone: the workspace's, whose days its durations mean.
        at: domain time.
    """
    said = {
        "slug": document.audience,
        "of": document.of,
        "zone": zone,
        "condition": document.when.model_dump(mode="json"),
    }
    await sql.execute(conn, "lock_to_edit")
    if await sql.fetchrow(conn, "store_audience", **said) is not None:
        return
    if await sql.fetchrow(conn, "edit_audience", **said) is not None:
        entity = "account" if document.of == "accounts" else "person"
        await sql.execute(conn, f"question_all_{document.of}", entity=entity, at=at)
        await outbox.nudge(conn)


async def evaluate(
    conn: Any, slug: str, as_of: datetime, subject_ids: Sequence[int] | None = None
) -> None:
    """Bring an audience's membership up to date.

    Args:
        conn: of the sandbox, in a transaction.
        slug: which audience.
        as_of: domain time.
        subject_ids: only these accounts (or people); None: all.
    """
    await sql.execute(conn, "lock_to_evaluate")
    stored = {row["slug"]: row for row in await sql.fetch(conn, "conditions")}
    conditions = {
        name: _condition.validate_python(row["condition"]) for name, row in stored.items()
    }
    values = {"as_of": as_of, "subject_ids": list(subject_ids) if subject_ids is not None else None}
    for statement in (_leave, _join, _flips):
        audience = _Audience(
            slug, stored[slug]["of"], conditions, Binder(stored[slug]["zone"]), subject_ids is None
        )
        text = statement(audience)
        if text is not None:
            await conn.execute(text, *audience.binder.args(**values))
    if subject_ids is None:
        await sql.execute(conn, "mark_evaluated", slug=slug, at=as_of)


async def members_since(conn: Any, slug: str, subject_ids: Sequence[int]) -> dict[int, datetime]:
    """Which of these are in an audience, and since when without a break."""
    rows = await sql.fetch(conn, "members_since", audience=slug, subject_ids=list(subject_ids))
    return {row["subject_id"]: row["qualified_at"] for row in rows}


class _Audience:
    """The parts of which an audience's statements are made."""

    def __init__(
        self, name: str, of: str, conditions: dict[str, Condition], binder: Binder, everyone: bool
    ) -> None:
        self.name = name
        self.of = of
        self.alias, self.table = ("a", "accounts") if of == "accounts" else ("p", "people")
        self.conditions = conditions
        self.binder = binder
        self.everyone = everyone

    @property
    def slug(self) -> str:
        return self.binder.literal(self.name, "text")

    @property
    def as_of(self) -> str:
        return self.binder.named("as_of", "timestamptz")

    def among_chosen(self, column: str) -> str:
        """Whether a subject is one of those asked about."""
        return (
            "true"
            if self.everyone
            else f"{column} = any({self.binder.named('subject_ids', 'bigint[]')})"
        )

    def chosen(self) -> str:
        return f"{self.among_chosen(f'{self.alias}.id')} and {self.alias}.deleted_at is null"

    def fragment(self, *, flips: bool = False) -> Fragment:
        # another audience it names is put in its place: nobody may keep that one's members up to date
        others = {name: one for name, one in self.conditions.items() if name != self.name}
        return compile_condition(
            self.conditions[self.name],
            "account" if self.of == "accounts" else "person",
            self.binder,
            travelling=False,
            flips=flips,
            audiences=others,
        )

    def matching(self) -> str:
        return (
            f"select {self.alias}.id from {self.table} {self.alias}"
            f" where {self.chosen()} and ({self.fragment().predicate})"
        )


def _leave(audience: _Audience) -> str:
    """Those who are members and no longer match."""
    return (
        f"with matching as materialized ({audience.matching()})"
        f" delete from audience_members m where m.audience = {audience.slug}"
        f" and {audience.among_chosen('m.subject_id')}"
        " and not exists (select from matching where matching.id = m.subject_id)"
    )


def _join(audience: _Audience) -> str:
    """Those who match and are no members yet, with the instant."""
    return (
        "insert into audience_members (audience, subject_id, qualified_at)"
        f" select {audience.slug}, matching.id, {audience.as_of} from ({audience.matching()}) matching"
        " on conflict do nothing"
    )


def _flips(audience: _Audience) -> str | None:
    """When each may change by time alone; None where time has no say."""
    fragment = audience.fragment(flips=True)
    if not fragment.flips:
        return None
    soonest = f"least({', '.join(fragment.flips)})"
    return (
        "insert into audience_flips (audience, subject_id, next_flip)"
        f" select {audience.slug}, {audience.alias}.id, {soonest}"
        f" from {audience.table} {audience.alias} where {audience.chosen()} and {soonest} is not null"
        " on conflict (audience, subject_id) do update set next_flip = excluded.next_flip"
    )
