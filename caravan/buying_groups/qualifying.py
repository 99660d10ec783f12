"""Marketing-qualified: a group that meets what its solution interest asks for becomes so, once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from caravan.engage import sql
from caravan.engage.happening import Happening
from caravan.journeys.conditions.binder import Binder
from caravan.journeys.conditions.checks import sql_of_test
from caravan.journeys.documents.solution_interest import Qualified


async def qualify(conn: Any, group_ids: Sequence[int], at: datetime) -> list[Happening]:
    """Note which of these groups meet their solution interest's ``qualified`` for the first time.

    Both tests are on the exact values, not on the shown ones. Once met, a group stays qualified, also
    where its numbers fall or the document asks for more.

    Args:
        conn: in a transaction that has locked the groups.
        group_ids: the groups whose completeness or engagement may have changed.
        at: domain time.

    Returns:
        ``buying_group_qualified`` of those.
    """
    if not group_ids:
        return []
    happenings = []
    for row in await sql.fetch(conn, "unqualified_groups", group_ids=list(group_ids)):
        statement, args = _statement(Qualified.model_validate(row["qualified"]), row, at)
        for group in await conn.fetch(statement, *args):
            happenings.append(
                Happening(
                    "buying_group_qualified",
                    at,
                    account_id=group["account_id"],
                    fields={"solution_interest": row["slug"]},
                )
            )
    return happenings


def _statement(qualified: Qualified, row: Any, at: datetime) -> tuple[str, list[Any]]:
    binder = Binder()
    tests = {"g.completeness": qualified.completeness, "g.engagement": qualified.engagement}
    met = [sql_of_test(test, column, binder) for column, test in tests.items() if test is not None]
    return (
        "with met as ("
        f" update buying_groups g set qualified_at = {binder.named('as_of', 'timestamptz')}"
        f" where g.id = any({binder.named('group_ids', 'bigint[]')})"
        f" and g.qualified_at is null and {' and '.join(met)}"
        " returning g.id, g.account_id)"
        " select account_id from met order by id",
        binder.args(as_of=at, group_ids=list(row["group_ids"])),
    )
