"""What people say about being written to: written as their fields, told to the Platform, kept with its source.

The history itself is kept by the table ``people`` (migration 0009), whoever writes it; here is how to say from
whom we have it, and the one way to write such fields outside a journey's own action.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from caravan.campaigns import recording
from caravan.campaigns.plans import PlanCache
from caravan.engage import sql
from caravan.engage.happening import Happening

#: the fields whose changes are kept with their source
FIELDS = frozenset({"email_consent", "sms_consent", "unsubscribed", "suspended", "email_invalid"})


async def said_by(conn: Any, source: str) -> None:
    """What this transaction writes from now on about consent comes from there."""
    await sql.execute(conn, "say_source", source=source)


async def set_fields(
    conn: Any,
    plans: PlanCache,
    person_ids: Sequence[int],
    fields: Mapping[str, bool | None],
    *,
    source: str,
    at: datetime,
) -> dict[int, list[str]]:
    """Write fields of consent, in the caller's transaction: with outbox rows, and heard as ``person_changed``.

    Args:
        conn: of the engage store, in a transaction.
        person_ids: whose.
        fields: of ``FIELDS``, with their new values; None clears.
        source: from whom or what we have it.
        at: when it was said.

    Returns:
        Which fields changed, by person; who had these values already is not in it.
    """
    await said_by(conn, source)
    changed: dict[int, list[str]] = {}
    happenings = []
    for field, value in fields.items():
        rows = await sql.fetch(
            conn,
            "set_person_fields",
            ids=sorted(person_ids),
            fields=[{field: value}] * len(person_ids),
            field=field,
            at=at,
        )
        ids = [row["id"] for row in rows]
        await sql.execute(
            conn,
            "write_changes",
            entity="person",
            ids=ids,
            fields=[{field: value}] * len(ids),
            at=at,
        )
        for row in rows:
            changed.setdefault(row["id"], []).append(field)
            happenings.append(
                Happening(
                    "person_changed",
                    at,
                    person_id=row["id"],
                    fields={"field": field, "from": row["old"], "to": value},
                )
            )
    await recording.record(conn, plans, happenings, at)
    return changed


def answered(channel: str, yes: bool) -> dict[str, bool | None]:
    """The fields that a person's yes or no to a channel sets.

    Whoever says yes to mail again is unsubscribed no more.
    """
    if channel == "sms":
        return {"sms_consent": yes}
    return {"email_consent": yes} | ({"unsubscribed": None} if yes else {})
