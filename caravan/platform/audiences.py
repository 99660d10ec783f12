"""Audiences: conditions over the sandbox, and who meets them.

Membership is a table; whoever qualifies gets a row with the instant, and who leaves is noted with both
instants. Where a condition may change by the passing of time alone, the next such instant is kept with
the subject and looked at when due. For just the subjects touched it is brought up to date here; for
everybody in ``caravan.platform.whole_evaluation``.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from sys import byteorder
from typing import Any, Literal, cast

from pydantic import TypeAdapter

from caravan.database import outbox
from caravan.journeys.conditions.membership import Membership, Statement
from caravan.journeys.conditions.model import Condition, Did
from caravan.journeys.conditions.naming import audiences_named, walk
from caravan.journeys.conditions.reach import reach_of_accounts
from caravan.journeys.documents import AudienceDocument
from caravan.platform import sql

AudienceOf = Literal["accounts", "people"]
Subjects = Literal["all", "named", "between"]

_condition: TypeAdapter[Condition] = TypeAdapter(Condition)


@dataclass(frozen=True)
class StoredAudience:
    """What is said of an audience: whom it is of, and which of them are in it."""

    of: AudienceOf
    zone: str  # whose days its durations mean
    condition: Condition


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


async def stored(conn: Any) -> dict[str, StoredAudience]:
    """What the sandbox says of all its audiences, by slug."""
    return {
        row["slug"]: StoredAudience(
            row["of"], row["zone"], _condition.validate_python(row["condition"])
        )
        for row in await sql.fetch(conn, "conditions")
    }


def written(documents: Mapping[str, AudienceDocument], zone: str) -> dict[str, StoredAudience]:
    """What a workspace says of its audiences, by slug, stored or not."""
    return {
        slug: StoredAudience(cast(AudienceOf, one.of), zone, one.when)
        for slug, one in documents.items()
    }


def membership(
    slug: str, audiences: Mapping[str, StoredAudience], subjects: Subjects
) -> Membership:
    """How an audience's membership is kept, for all its subjects or some of them."""
    said = audiences[slug]
    return Membership(
        of=said.of,
        condition=said.condition,
        zone=said.zone,
        members="audience_members",
        flips="audience_flips",
        departures="audience_departures",
        key={"audience": slug},
        subjects=subjects,
        # another audience it names is put in its place: nobody may keep that one's members up to date
        audiences={name: one.condition for name, one in audiences.items() if name != slug},
    )


async def in_force(conn: Any) -> dict[str, StoredAudience]:
    """What is said of all audiences, by slug; nobody edits one until the transaction ends."""
    await sql.execute(conn, "lock_to_evaluate")
    return await stored(conn)


async def evaluate(
    conn: Any,
    slug: str,
    audiences: Mapping[str, StoredAudience],
    as_of: datetime,
    subject_ids: Sequence[int],
) -> None:
    """Bring an audience's membership up to date for some subjects.

    Args:
        conn: of the sandbox, in a transaction.
        slug: which audience.
        audiences: those in force.
        as_of: domain time.
        subject_ids: these accounts, or people.
    """
    if not subject_ids:
        return
    kept = membership(slug, audiences, "named")
    values = {"as_of": as_of, "subject_ids": list(subject_ids)}
    for statement in (kept.leave(), kept.join(), kept.look_again()):
        if statement is not None:
            await conn.execute(statement.sql, *statement.binder.args(**values))


async def matching(
    conn: Any, slug: str, audiences: Mapping[str, StoredAudience], as_of: datetime
) -> "array[int]":
    """Whoever meets the condition of an audience, by id; nothing is written.

    Args:
        conn: of the sandbox, in a transaction.
        slug: which audience.
        audiences: it and those that it may name.
        as_of: domain time.
    """
    statement = selection(slug, audiences)
    # in one value: millions of rows would each become an object here
    packed = await conn.fetchval(
        f"select string_agg(int8send(id), ''::bytea order by id) from ({statement.sql}) matching",
        *statement.binder.args(as_of=as_of),
    )
    ids = array("q", packed or b"")
    if byteorder == "little":
        ids.byteswap()
    return ids


def selection(slug: str, audiences: Mapping[str, StoredAudience]) -> Statement:
    """The query that ``matching`` asks, in order of id; its binder takes ``as_of``."""
    return membership(slug, audiences, "all").select()


def about_events(audiences: Mapping[str, StoredAudience]) -> set[str]:
    """The audiences that ask for what happened, themselves or by way of others: events may change who is in them."""
    conditions = {slug: one.condition for slug, one in audiences.items()}
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


def looking_beside(audiences: Mapping[str, StoredAudience]) -> set[str]:
    """The audiences of accounts that ask, of the people there, what their other accounts are.

    Farther none looks: an audience of people asks for no other people.
    """
    conditions = {slug: one.condition for slug, one in audiences.items()}
    return {
        slug
        for slug, one in audiences.items()
        if one.of == "accounts" and reach_of_accounts(one.condition, conditions) > 1
    }


async def members_since(conn: Any, slug: str, subject_ids: Sequence[int]) -> dict[int, datetime]:
    """Which of these are in an audience, and since when without a break."""
    rows = await sql.fetch(conn, "members_since", audience=slug, subject_ids=list(subject_ids))
    return {row["subject_id"]: row["qualified_at"] for row in rows}
