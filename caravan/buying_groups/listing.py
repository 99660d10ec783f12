"""Looking for groups: by what they are interested in, how complete, engaged and far they are, and whom
they lack (product.md §3.12, §3.13)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from caravan.engage import sql

PAGE = 2000


@dataclass(frozen=True)
class Filters:
    """All of them are to hold; one that is None asks nothing.

    Numbers are compared exactly, both ends included. Stage and status are compared as texts of the
    language are, whatever their case.
    """

    account: str | None = None  # its outside id
    solution_interest: str | None = None
    roles_template: str | None = None
    stage: str | None = None
    status: str | None = None
    min_completeness: Decimal | None = None
    max_completeness: Decimal | None = None
    min_engagement: Decimal | None = None
    max_engagement: Decimal | None = None
    qualified: bool | None = None
    unassigned: tuple[str, ...] | None = None  # one of these roles has nobody
    ids: tuple[int, ...] | None = None


async def groups(pool: Any, filters: Filters, limit: int | None = None) -> AsyncIterator[Any]:
    """The groups that pass, by id, page by page: each page is one statement, and none waits for its reader.

    Groups of accounts that are gone from the Platform are not listed.
    """
    after, left = 0, limit
    while left is None or left > 0:
        page = await _page(pool, filters, after, PAGE if left is None else min(PAGE, left))
        for row in page:
            yield row
        if not page:
            return
        after = page[-1]["id"]
        left = left - len(page) if left is not None else None


async def group(pool: Any, group_id: int) -> Any:
    """One group as listings have it, or None."""
    rows = await _page(pool, Filters(ids=(group_id,)), 0, 1)
    return rows[0] if rows else None


async def _page(pool: Any, filters: Filters, after: int, limit: int) -> Sequence[Any]:
    return await sql.fetch(pool, "buying_groups_page", after=after, limit=limit, **asdict(filters))
