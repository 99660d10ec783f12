"""Who is related to whom: the accounts and people that so many relations lie between.

What changes of somebody may count for whoever a condition looks at them from
(``caravan.journeys.conditions.reach``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from caravan.engage import sql
from caravan.journeys.conditions.naming import ListOf


@dataclass(frozen=True)
class Related:
    """Accounts and people, by whom they are of and how many relations lie between, and their ids."""

    apart: dict[tuple[ListOf, int], list[int]]

    def within(self, of: ListOf, reach: int) -> list[int]:
        """The accounts, or the people, that no more relations lie between than this."""
        return sorted(one for apart in range(reach + 1) for one in self.apart.get((of, apart), []))


async def related(
    conn: Any, account_ids: Iterable[int], person_ids: Iterable[int], most: int
) -> Related:
    """Those that are related to some accounts and people, and these themselves.

    Args:
        conn: of the engage store.
        account_ids: the accounts.
        person_ids: the people.
        most: relations in between.
    """
    rows = await sql.fetch(
        conn,
        "related_within",
        account_ids=sorted(account_ids),
        person_ids=sorted(person_ids),
        most=most,
    )
    apart: dict[tuple[ListOf, int], list[int]] = {}
    for row in rows:
        apart.setdefault((row["of"], row["apart"]), []).append(row["id"])
    return Related(apart)
