"""``caravan identity``: which records of which sources are one, why, and how to take them apart."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from caravan.platform import explaining, identity, sql
from caravan.platform.explaining import Explanation, Found
from caravan.platform.uniting import TABLE, Entity
from starter.errors import UserError
from starter.output import Format, FormatOption, as_json, cell, console, plainly, show
from starter.session import Session, SubscriptionOption, run_with

app = typer.Typer(
    no_args_is_help=True, help="Which records of which sources are one, why, and taken apart again."
)

Key = Annotated[
    str,
    typer.Argument(
        help="A record's id (a source's own with its name before it: crm:17), or an e-mail address."
    ),
]
OfOption = Annotated[
    str | None,
    typer.Option(
        "--of", help="person or account; needed only where both have a record of that id."
    ),
]
SOURCE_COLUMNS = ("record", "source", "source_id", "stands_for_all", "said_at", "fields")
FIELD_COLUMNS = ("field", "value", "as_of", "record", "source", "why", "others")
MERGE_COLUMNS = ("at", "record", "like", "rule", "by", "source", "undone_at", "undone_why")


@app.callback()
def _group() -> None:
    """Which records of which sources are one, why, and taken apart again."""


@app.command("explain")
def explain(
    record: Key,
    of: OfOption = None,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Explain a person or an account: which source records make it, whose word each field has, and why.

    Records become one only where a rule of the workspace says so (`identity:`). Each keeps its own word; the later
    as_of wins field by field, and an opt-out stands whatever others say.
    """

    async def body(session: Session) -> Explanation:
        async with (await session.platform()).acquire() as conn:
            return await explaining.explain(conn, (await _find(conn, record, of))[0])

    told = run_with(subscription, body)
    if form is Format.json:
        print(as_json(_as_keys(told)))
        return
    console.print(
        f"[bold]{cell(told.survivor)}[/bold]  {told.found.entity} {told.found.survivor_id}\n",
        highlight=False,
    )
    show(
        [asdict(one) for one in told.sources],
        form,
        title="Said by",
        columns=SOURCE_COLUMNS,
        empty="no source: written here",
    )
    console.print()
    rows = [asdict(one) | {"others": _others(one.others)} for one in told.fields]
    show(rows, form, title="Its fields", columns=FIELD_COLUMNS)
    if told.merges:
        console.print()
        show(told.merges, form, title="Made one", columns=MERGE_COLUMNS)


@app.command("unmerge")
def unmerge(
    record: Key,
    why: Annotated[
        str | None, typer.Option("--why", help="Kept with the merge that is undone.")
    ] = None,
    of: OfOption = None,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Take a record out of the one it was made part of; no rule brings it back.

    It gets its own fields back, its relations, opportunities and history. What was said of both while they were
    one stays with the one that stood for them; an opt-out, with each. A journey it had left is not resumed.
    """

    async def body(session: Session) -> list[list[str]]:
        async with (await session.platform()).acquire() as conn, conn.transaction():
            await sql.execute(conn, "one_writer")
            found = await _find(conn, record, of)
            if len(found) > 1 or found[0].external_id != record:
                raise UserError(
                    f"{record} is an address: name the record to take out ({', '.join(await _one_with(conn, found[0]))})"
                )
            parts = await identity.unmerge(
                conn, found[0].entity, found[0].id, why, datetime.now(UTC)
            )
            if not parts:
                raise UserError(f"{record} is one with nobody: there is nothing to take apart")
            return [await _names(conn, found[0].entity, ids) for ids in parts]

    parts = run_with(subscription, body)
    if form is Format.json:
        print(as_json({"record": record, "parts": parts}))
        return
    plainly(f"{record} stands alone again; " + "; ".join(_in_words(part) for part in parts[1:]))


@app.command("merges")
def merges(
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 50,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """List what was made one, the latest first: by which rule and values, by whose import, and what was undone."""

    async def body(session: Session) -> list[dict[str, Any]]:
        rows = await sql.fetch(
            await session.platform(), "recent_merges", entity=None, ids=None, limit=limit
        )
        return [dict(row) for row in rows]

    rows = run_with(subscription, body)
    show(rows, form, columns=("entity", *MERGE_COLUMNS), empty="nothing was made one")


async def _find(conn: Any, key: str, of: str | None) -> list[Found]:
    """What a key names: records that are all part of one."""
    if of not in (None, *TABLE):
        raise UserError("--of takes person or account")
    entity: Entity | None = "person" if of == "person" else "account" if of == "account" else None
    found = await explaining.find(conn, key, entity)
    if not found:
        raise UserError(
            f"No record {key} in the Platform; one of a source has its name before its id, such as crm:17"
        )
    if len({one.entity for one in found}) > 1:
        raise UserError(
            f"{key} is a person and an account: say which with --of person or --of account"
        )
    if len({one.survivor_id for one in found}) > 1:
        names = ", ".join(one.external_id for one in found)
        raise UserError(
            f"several people have the address {key}, and no rule made them one: name one ({names})"
        )
    return found


async def _one_with(conn: Any, found: Found) -> list[str]:
    rows = await sql.fetch(conn, f"one_with_{TABLE[found.entity]}", survivor_id=found.survivor_id)
    return [row["external_id"] for row in rows]


async def _names(conn: Any, entity: Entity, ids: list[int]) -> list[str]:
    rows = await sql.fetch(conn, f"one_with_{TABLE[entity]}", survivor_id=min(ids))
    return [row["external_id"] for row in rows]


def _in_words(part: list[str]) -> str:
    return f"{part[0]} too" if len(part) == 1 else f"{', '.join(part)} stay one"


def _others(others: tuple[Mapping[str, Any], ...]) -> str | None:
    """What the others say, in a line."""
    return (
        "; ".join(
            f"{one['record']}: {'nothing' if one['value'] is None else one['value']}"
            for one in others
        )
        or None
    )


def _as_keys(told: Explanation) -> dict[str, Any]:
    return {
        "entity": told.found.entity,
        "record": told.survivor,
        "id": told.found.survivor_id,
        "sources": [asdict(one) for one in told.sources],
        "fields": [asdict(one) for one in told.fields],
        "merges": told.merges,
    }
