"""What the engage store keeps about records goes to the record that stands for them, and back when they part.

Activities go both ways. A static list has whoever stands for its member, and keeps them. Entries into journeys
count for the account that an account has become. Places in buying groups follow from relations and roles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from caravan.engage import sql

Table = Literal["accounts", "people"]


@dataclass(frozen=True)
class Changed:
    """Records whose identity is another than this store had: by number, who stands for them now (None: themselves)."""

    accounts: Mapping[int, int | None]
    people: Mapping[int, int | None]


async def changed_identities(conn: Any, bundle: Any) -> Changed:
    """Those of a bundle whose identity has changed; also who comes in for the first time as another's."""
    return Changed(
        await _changed(conn, "accounts", bundle.accounts),
        await _changed(conn, "people", bundle.people),
    )


async def hand_on(conn: Any, changed: Changed) -> None:
    """Hand on what is kept about them, once their rows say who they are."""
    for table, of in (("accounts", changed.accounts), ("people", changed.people)):
        if not of:
            continue
        await sql.execute(conn, f"hand_on_activities_of_{table}", ids=sorted(of))
        gone = {one: survivor for one, survivor in of.items() if survivor is not None}
        if gone:
            pairs = {"ids": list(gone), "survivor_ids": list(gone.values())}
            await sql.execute(conn, "hand_on_places_in_lists", of=table, **pairs)
            if table == "accounts":
                await sql.execute(conn, "hand_on_entries", **pairs)


async def _changed(conn: Any, table: Table, rows: Sequence[Any]) -> dict[int, int | None]:
    if not rows:
        return {}
    ids = [row["id"] for row in rows]
    was = {
        row["id"]: row["merged_into"] for row in await sql.fetch(conn, f"merged_{table}", ids=ids)
    }
    return {
        row["id"]: row["merged_into"] for row in rows if was.get(row["id"]) != row["merged_into"]
    }
