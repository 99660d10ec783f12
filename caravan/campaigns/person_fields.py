"""Writing a field of people: the store, the outbox up to the Platform, and ``person_changed``, together."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from caravan.campaigns import recording
from caravan.campaigns.plans import PlanCache
from caravan.engage import sql
from caravan.engage.happening import Happening


async def set_field(
    conn: Any,
    plans: PlanCache,
    wanted: Mapping[int, Mapping[str, Any]],
    field: str,
    at: datetime,
) -> list[int]:
    """Write one field, in the caller's transaction.

    Args:
        conn: of the engage store.
        plans: for listeners that hear it.
        wanted: by person, the field with its new value.
        field: its name.
        at: domain time.

    Returns:
        Whom it changed.
    """
    rows = await sql.fetch(
        conn,
        "set_person_fields",
        ids=list(wanted),
        fields=list(wanted.values()),
        field=field,
        at=at,
    )
    changed = {row["id"]: row["old"] for row in rows}
    if not changed:
        return []
    await sql.execute(
        conn,
        "write_changes",
        entity="person",
        ids=list(changed),
        fields=[wanted[person_id] for person_id in changed],
        at=at,
    )
    happenings = [
        Happening(
            "person_changed",
            at,
            person_id=person_id,
            fields={"field": field, "from": old, "to": wanted[person_id][field]},
        )
        for person_id, old in changed.items()
    ]
    await recording.record(conn, plans, happenings, at)
    return list(changed)
