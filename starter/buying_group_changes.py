"""``caravan buying-group assign|remove|set-stage|set-status``: changes by hand.

Whom a user has put somewhere or taken out, no journey or job moves; stages and statuses have no such order,
the last word counts.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from caravan.buying_groups.stages import LONGEST_STATUS
from caravan.campaigns import buying_group_changes
from caravan.campaigns.plans import PlanCache
from caravan.engage import sql
from caravan.journeys.conditions.parse import nearest
from caravan.journeys.documents.stage_model import StageModelDocument
from caravan.journeys.limits import USUAL, Limits
from caravan.journeys.reasons import SkipReason
from caravan.limit_settings import read_limits
from starter.errors import Failed, UserError
from starter.group_names import GroupArgument, known_group
from starter.output import Format, FormatOption, as_json, plainly
from starter.session import Session, SubscriptionOption, known_person, run_with

People = Annotated[
    list[str],
    typer.Argument(
        help=f"Ids or e-mail addresses, at most {USUAL.bulk_people} at once (LIMIT_BULK_PEOPLE).",
        metavar="PERSON...",
    ),
]
#: a change of people in a group: connection, plans, group, people, instant
Change = Callable[..., Awaitable[dict[int, SkipReason | None]]]


def assign(
    group: GroupArgument,
    people: People,
    role: Annotated[str, typer.Option("--role", help="The role they play from now on.")],
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Put people of the account into its group by hand, or give them another role.

    What you do by hand stands above journeys and jobs: neither takes these people out or changes their
    role, until you do. Doing it again changes nothing.
    """

    async def change(conn: Any, group_id: int, ids: list[int]) -> dict[int, SkipReason | None]:
        return await buying_group_changes.assign(
            conn, PlanCache(), group_id, ids, role, "manual", datetime.now(UTC)
        )

    async def check(pool: Any, row: Any) -> None:
        roles = [
            one["role"] for one in await sql.fetch(pool, "buying_group_roles", group_id=row["id"])
        ]
        if role not in roles:
            raise UserError(
                f"{_name(row)} has no role {role}{nearest(role, roles)}; "
                f"its template {row['roles_template']} has: {', '.join(roles)}"
            )

    _change_people(
        group, people, form, subscription, change, check, f"is {role}", f"was {role} already"
    )


def remove(
    group: GroupArgument,
    people: People,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Take people out of a group by hand. No journey or job brings them back; `assign` does.

    They stay in the group's record: `caravan buying-group show GROUP --removed`.
    """

    async def change(conn: Any, group_id: int, ids: list[int]) -> dict[int, SkipReason | None]:
        return await buying_group_changes.remove(
            conn, PlanCache(), group_id, ids, "manual", datetime.now(UTC)
        )

    async def check(_pool: Any, _row: Any) -> None: ...

    _change_people(group, people, form, subscription, change, check, "is out", "is not in it")


def set_stage(
    group: GroupArgument,
    stage: Annotated[str, typer.Argument(help="The stage to move to.")],
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Move a group to a stage, along its stage model: from where it stands, or into an entry stage."""

    async def body(session: Session) -> None:
        pool = await session.engage()
        row = await known_group(pool, group)
        model = await _model(pool, row)
        names = [one.stage for one in model.stages]
        if stage not in names:
            raise UserError(
                f"The stage model {model.stage_model} of {_name(row)} has no stage "
                f"{stage}{nearest(stage, names)}; it has: {', '.join(names)}"
            )
        async with pool.acquire() as conn, conn.transaction():
            reason = await buying_group_changes.set_stage(
                conn, PlanCache(), row["id"], stage, "manual", datetime.now(UTC)
            )
        if reason == SkipReason.NOT_ALLOWED_TRANSITION:
            raise Failed(_not_allowed(await known_group(pool, group), model, stage))
        said = "was at" if reason == SkipReason.UNCHANGED else "is at"
        already = " already" if reason == SkipReason.UNCHANGED else ""
        _tell(form, row, {"stage": stage, "reason": reason}, f"{said} {stage}{already}")

    run_with(subscription, body)


def set_status(
    group: GroupArgument,
    status: Annotated[
        str,
        typer.Argument(help=f'Any text up to {LONGEST_STATUS} characters; "" for none.'),
    ],
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Give a group a status: free text beside its stage, which sales and journeys can read."""
    limits = read_limits()
    if len(status) > limits.status_text:
        raise UserError(
            f"A status has at most {limits.status_text} characters; this one has {len(status)} "
            + limits.over("status_text")
        )
    if any(ord(letter) < ord(" ") for letter in status):
        raise UserError("A status is one line, without control characters")

    async def body(session: Session) -> None:
        pool = await session.engage()
        row = await known_group(pool, group)
        async with pool.acquire() as conn, conn.transaction():
            reason = await buying_group_changes.set_status(
                conn, PlanCache(), row["id"], status or None, "manual", datetime.now(UTC)
            )
        said = f"has the status {status}" if status else "has no status"
        if reason == SkipReason.UNCHANGED:
            said += " already" if status else ", as before"
        _tell(form, row, {"status": status or None, "reason": reason}, said)

    run_with(subscription, body)


def _change_people(
    group: str,
    people: list[str],
    form: Format,
    subscription: str | None,
    change: Change,
    check: Callable[[Any, Any], Awaitable[None]],
    done: str,
    was_so: str,
) -> None:
    refuse_too_many(people, read_limits())

    async def body(session: Session) -> None:
        pool = await session.engage()
        row = await known_group(pool, group)
        await check(pool, row)
        found = {
            (await known_person(pool, one, remark="nothing was changed"))["id"]: one
            for one in people
        }
        async with pool.acquire() as conn, conn.transaction():
            reasons = await change(conn, row["id"], sorted(found))
        if form is Format.json:
            told = [
                {"person": name, "group": row["id"], "reason": reasons[one]}
                for one, name in found.items()
            ]
            print(as_json(told))
        strangers = [
            name for one, name in found.items() if reasons[one] == SkipReason.NOT_OF_ACCOUNT
        ]
        for one, name in found.items():
            if form is Format.table and name not in strangers:
                plainly(f"{name} {done if reasons[one] is None else was_so} ({_name(row)})")
        if strangers:
            raise Failed(
                f"{', '.join(strangers)}: not of the account {row['account']}, whose group it is; "
                "relate them to it first, as relations.csv does"
            )

    run_with(subscription, body)


async def _model(pool: Any, row: Any) -> StageModelDocument:
    body = await sql.fetchval(pool, "stage_model_of_group", group_id=row["id"])
    if body is None:
        raise Failed(
            f"{_name(row)} has no stages: its solution interest names no stage_model; "
            "name one, and groups follow at their next upkeep"
        )
    return StageModelDocument.model_validate(body)


def _not_allowed(row: Any, model: StageModelDocument, stage: str) -> str:
    """Where the group may go instead."""
    ways = [one.stage for one in model.stages if model.allows(row["stage"], one.stage)]
    here = next((one for one in model.stages if one.stage == row["stage"]), None)
    if row["stage"] is None:
        return f"{_name(row)} has no stage yet and begins at {' or '.join(ways)}, not at {stage}"
    if here is None:
        return (
            f"{_name(row)} is at {row['stage']}, which its stage model has no more, "
            f"and begins anew at {' or '.join(ways)}, not at {stage}"
        )
    if not ways:
        return f"{_name(row)} is at {here.stage}, from which nothing leads on"
    return f"{_name(row)} may go from {here.stage} to {' or '.join(ways)}, not to {stage}"


def _tell(form: Format, row: Any, told: dict[str, Any], said: str) -> None:
    if form is Format.json:
        print(as_json({"group": row["id"]} | told))
    else:
        plainly(f"{_name(row)} {said}")


def _name(row: Any) -> str:
    return f"{row['account']}/{row['solution_interest']}"


def refuse_too_many(people: list[str], limits: Limits) -> None:
    """A slip stays small."""
    if len(people) > limits.bulk_people:
        raise UserError(
            f"At most {limits.bulk_people} people at once, these are {len(people)}; give them in parts "
            + limits.over("bulk_people")
        )
