"""The upkeep of groups: who has one, which versions it follows, and who is in it by the rules.

Whatever may change a group puts its account in question; so does the daily run, for what time alone has
changed. A page of questions is taken and answered in one transaction, with a handful of statements for all
of its accounts, so it cannot get lost and may be killed anywhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from caravan.buying_groups import fitting, standing
from caravan.buying_groups.fitting import Misplaced
from caravan.engage import sql
from caravan.engage.happening import Happening
from caravan.engage.related import related
from caravan.journeys.documents.roles_template import RolesTemplateDocument

#: questions answered in one transaction
PAGE = 1000


@dataclass(frozen=True)
class Kept:
    """What a page of upkeep came to."""

    questions: int = 0  # 0: nothing waited
    groups: int = 0
    happenings: list[Happening] = field(default_factory=list)
    # whose groups are new or follow another version: conditions may ask for it, and no event tells
    account_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Everybody:
    """All accounts that were put in question: how many, and the newest of the questions."""

    accounts: int
    last: int


async def question_all(pool: Any) -> Everybody:
    """Put every account in question that has a group to keep up, or is to have one."""
    row = await sql.fetchrow(pool, "question_everybody")
    return Everybody(row["accounts"], row["last"])


async def keep_page(conn: Any, at: datetime, limit: int = PAGE) -> Kept:
    """Answer the next questions, one page after the other.

    Groups that are missing are made; groups that are kept up move to the latest versions; people join,
    change and leave as far as a job may say so.

    Args:
        conn: of the engage store, in a transaction of its own: it takes the locks from the accounts on.
        at: domain time.
        limit: how many questions.

    Returns:
        With what happened by it, for the caller to record.
    """
    await sql.execute(conn, "one_page")
    questions = await sql.fetch(conn, "take_buying_group_questions", limit=limit)
    if not questions:
        return Kept()
    account_ids = await _reaching(conn, {row["account_id"] for row in questions})
    return replace(await keep_accounts(conn, account_ids, at), questions=len(questions))


async def _reaching(conn: Any, account_ids: Iterable[int]) -> list[int]:
    """These accounts, and those of whose people some role asks what their other accounts are, which these may be."""
    bodies = await sql.fetch(conn, "templates_asking_lists")
    templates = [RolesTemplateDocument.model_validate(row["body"]) for row in bodies]
    reach = max((fitting.reach_of(template) for template in templates), default=0)
    if reach <= 1:
        return sorted(account_ids)
    return (await related(conn, account_ids, [], reach)).within("accounts", reach)


async def keep_accounts(conn: Any, account_ids: Sequence[int], at: datetime) -> Kept:
    """The upkeep of these accounts' groups, asked or not."""
    await sql.execute(conn, "share_accounts_touched", account_ids=account_ids, person_ids=[])
    made = await sql.fetch(conn, "make_groups", account_ids=account_ids, at=at)
    groups = await sql.fetch(conn, "groups_to_keep", account_ids=account_ids)
    if not groups:
        return Kept()
    moved, happenings = await _keep(conn, groups, at)
    changed = sorted({row["account_id"] for row in (*made, *moved)})
    return Kept(groups=len(groups), happenings=happenings, account_ids=changed)


async def _keep(
    conn: Any, groups: Sequence[Any], at: datetime
) -> tuple[Sequence[Any], list[Happening]]:
    """The accounts of groups that follow another version now, and what happened."""
    group_ids = [group["id"] for group in groups]
    # looked at before the groups are locked, so that only those are held whose place may change: what
    # changes whom a role fits asks again and is answered by a later page, and who may move whom is looked
    # at under the lock
    moving = await _misplaced(conn, groups, at)
    await _hold_people(conn, sorted({one.person_id for one in moving}))
    await sql.execute(conn, "lock_groups_to_keep", group_ids=group_ids)
    happenings = await _move(conn, moving, {group["id"]: group for group in groups}, at)
    moved = await sql.fetch(
        conn,
        "mark_kept",
        group_ids=group_ids,
        template_ids=[group["template_id"] for group in groups],
        stage_model_ids=[group["stage_model_id"] for group in groups],
        at=at,
    )
    return moved, happenings + await standing.refresh(conn, group_ids, at)


async def _misplaced(conn: Any, groups: Sequence[Any], at: datetime) -> list[Misplaced]:
    by_template: dict[int, list[int]] = {}
    for group in groups:
        by_template.setdefault(group["template_id"], []).append(group["id"])
    found = []
    for row in await sql.fetch(conn, "template_bodies", ids=sorted(by_template)):
        template = RolesTemplateDocument.model_validate(row["body"])
        found += await fitting.misplaced(conn, template, by_template[row["id"]], at)
    return found


async def _hold_people(conn: Any, person_ids: list[int]) -> None:
    if person_ids:
        await sql.execute(conn, "share_people", person_ids=person_ids)
        await sql.execute(conn, "share_engagement", person_ids=person_ids)


async def _move(
    conn: Any, moving: Sequence[Misplaced], groups: Mapping[int, Any], at: datetime
) -> list[Happening]:
    """Let people leave and come, as far as precedence allows; what happened, by group and person."""
    leaving = [one for one in moving if one.role is None]
    coming = [one for one in moving if one.role is not None]
    left = came = []
    if leaving:
        left = await sql.fetch(
            conn,
            "take_unfit_out",
            group_ids=[one.group_id for one in leaving],
            person_ids=[one.person_id for one in leaving],
            gone=[one.gone for one in leaving],
            at=at,
        )
    if coming:
        came = await sql.fetch(
            conn,
            "put_fitting",
            group_ids=[one.group_id for one in coming],
            person_ids=[one.person_id for one in coming],
            roles=[one.role for one in coming],
            at=at,
        )
    told = [("removed_from", row) for row in left] + [("added_to", row) for row in came]
    return [
        Happening(
            f"{what}_buying_group",
            at,
            account_id=groups[row["group_id"]]["account_id"],
            person_id=row["person_id"],
            fields={
                "solution_interest": groups[row["group_id"]]["solution_interest"],
                "role": row["role"],
            },
        )
        for what, row in sorted(told, key=lambda one: (one[1]["group_id"], one[1]["person_id"]))
    ]
