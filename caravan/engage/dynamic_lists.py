"""The upkeep of dynamic lists: who is in them, as data change and as time passes.

Whatever changes somebody puts them in question; so does the instant at which a membership may change
by time alone. A page of questions is taken and answered in one transaction, so it cannot get lost. A
list that was stored or edited is evaluated as a whole once no transaction is open any more that began
without having seen it: until then it may have left a question out.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from caravan.engage import lists, sql
from caravan.engage.related import related
from caravan.journeys.conditions.membership import Membership
from caravan.journeys.conditions.model import Condition
from caravan.journeys.conditions.reach import reach_of_accounts, reach_of_people

#: questions answered in one transaction
PAGE = 1000

_condition: TypeAdapter[Condition] = TypeAdapter(Condition)


async def keep_page(pool: Any, as_of: datetime, limit: int = PAGE) -> int:
    """Answer the next questions; returns how many there were, 0 when nothing waits."""
    if not await sql.fetchval(pool, "lists_wait", at=as_of):
        return 0
    async with pool.acquire() as conn, conn.transaction():
        await sql.execute(conn, "lock_lists")
        known = await sql.fetch(conn, "dynamic_lists")
        done = 0
        for row in known:
            if row["due"]:
                await _evaluate(conn, row, as_of, None)
                await sql.execute(
                    conn, "mark_list_evaluated", of=row["of"], slug=row["slug"], at=as_of
                )
                done += 1
        await sql.execute(conn, "announce_due_list_flips", at=as_of, limit=limit)
        questions = await sql.fetch(conn, "take_list_questions", limit=limit)
        if questions:
            await _answer(conn, known, questions, as_of)
        return done + len(questions)


async def evaluate(pool: Any, slug: str, as_of: datetime) -> None:
    """Evaluate a dynamic list of accounts as a whole, now; a static one is as it is."""
    async with pool.acquire() as conn, conn.transaction():
        await sql.execute(conn, "lock_lists")
        for row in await sql.fetch(conn, "dynamic_lists"):
            if (row["of"], row["slug"]) == ("accounts", slug):
                await _evaluate(conn, row, as_of, None)


async def _answer(
    conn: Any, known: Sequence[Any], questions: Sequence[Any], as_of: datetime
) -> None:
    """Look again at whoever may be in a list by one of those in question, or out of it."""
    reaches = [_reach(row) for row in known]
    ids: dict[str, list[int]] = {"accounts": [], "people": []}
    for question in questions:
        ids[question["of"]].append(question["subject_id"])
    asked = await related(conn, ids["accounts"], ids["people"], max(reaches, default=0))
    for row, reach in zip(known, reaches, strict=True):
        await _evaluate(conn, row, as_of, asked.within(row["of"], reach))


def _reach(row: Any) -> int:
    """How far a list looks; at least to what somebody is related to, for a relation is in question by its ends."""
    reach = reach_of_accounts if row["of"] == "accounts" else reach_of_people
    return max(1, reach(_condition.validate_python(row["condition"])))


async def _evaluate(conn: Any, row: Any, as_of: datetime, subject_ids: list[int] | None) -> None:
    """Bring a list up to date for these subjects, or for everyone; who joins may enter journeys."""
    if subject_ids == []:
        return
    listed = Membership(
        of=row["of"],
        condition=_condition.validate_python(row["condition"]),
        zone=row["zone"],
        members="list_members",
        flips="list_flips",
        key={"of": row["of"], "list": row["slug"]},
        subjects="all" if subject_ids is None else "named",
    )
    values = {"as_of": as_of, "subject_ids": subject_ids}
    leave, join, look_again = listed.leave(), listed.join(), listed.look_again()
    await conn.execute(leave.sql, *leave.binder.args(**values))
    joined = await conn.fetch(join.sql, *join.binder.args(**values))
    if look_again is not None:
        await conn.execute(look_again.sql, *look_again.binder.args(**values))
    if row["of"] == "accounts":
        await lists.let_in(conn, {row["slug"]: [one["subject_id"] for one in joined]}, as_of)
