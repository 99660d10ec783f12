"""Audiences: conditions over the sandbox, evaluated as a whole or for just the accounts touched.

Membership is a table; whoever qualifies gets a row with the instant. Where a condition may change by
the passing of time alone, the next such instant is kept with the account and looked at when due.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from caravan.database import outbox
from caravan.journeys.conditions.membership import Membership
from caravan.journeys.conditions.model import Condition, Did
from caravan.journeys.conditions.naming import audiences_named, walk
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
    if subject_ids is not None and not subject_ids:
        return
    stored = {row["slug"]: row for row in await sql.fetch(conn, "conditions")}
    conditions = {
        name: _condition.validate_python(row["condition"]) for name, row in stored.items()
    }
    audience = Membership(
        of=stored[slug]["of"],
        condition=conditions.pop(slug),
        zone=stored[slug]["zone"],
        members="audience_members",
        flips="audience_flips",
        key={"audience": slug},
        everyone=subject_ids is None,
        # another audience it names is put in its place: nobody may keep that one's members up to date
        audiences=conditions,
    )
    values = {"as_of": as_of, "subject_ids": list(subject_ids) if subject_ids is not None else None}
    for statement in (audience.leave(), audience.join(), audience.look_again()):
        if statement is not None:
            await conn.execute(statement.sql, *statement.binder.args(**values))
    if subject_ids is None:
        await sql.execute(conn, "mark_evaluated", slug=slug, at=as_of)


async def about_events(conn: Any) -> set[str]:
    """The audiences that ask for what happened, themselves or by way of others: events may change who is in them."""
    conditions = {
        row["slug"]: _condition.validate_python(row["condition"])
        for row in await sql.fetch(conn, "conditions")
    }
    found: set[str] = set()
    more = {
        slug
        for slug, condition in conditions.items()
        if any(isinstance(part, Did) for part in walk(condition))
    }
    while more:
        found |= more
        more = {
            slug
            for slug, condition in conditions.items()
            if slug not in found and audiences_named(condition) & found
        }
    return found


async def members_since(conn: Any, slug: str, subject_ids: Sequence[int]) -> dict[int, datetime]:
    """Which of these are in an audience, and since when without a break."""
    rows = await sql.fetch(conn, "members_since", audience=slug, subject_ids=list(subject_ids))
    return {row["subject_id"]: row["qualified_at"] for row in rows}
