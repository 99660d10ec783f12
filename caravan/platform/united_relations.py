"""Relations of records that are one: those between the same account and the same person are one too.

The relation of the two that stand for theirs has the roles of all; the others are put away, and come back
with their own roles when the records part.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.platform import sql
from caravan.platform.folding import Word, fold
from caravan.platform.stamps import raised, stamp

ROLES = "roles"


@dataclass(frozen=True)
class Own:
    """A relation as it would stand alone."""

    id: int
    word: Word
    deleted_at: datetime | None


@dataclass
class _Plan:
    """What is to be written."""

    rows: dict[int, tuple[int, int, dict[str, Any], dict[str, str], datetime | None]]
    own: list[tuple[Own, int]]


async def unite_relations(conn: Any, ids: Collection[int], at: datetime) -> None:
    """Bring relations, and those that are one with them, to where the records stand now.

    Args:
        conn: of the sandbox, in a transaction.
        ids: relations of records that have become one, or have parted; also such as were just written.
        at: domain time.
    """
    if not ids:
        return
    groups: dict[tuple[int, int], list[Any]] = {}
    for row in await sql.fetch(conn, "relations_to_unite", ids=sorted(ids)):
        groups.setdefault((row["whole_account"], row["whole_person"]), []).append(row)
    missing = [pair for pair, rows in groups.items() if _head(pair, rows) is None]
    numbers = await sql.fetch(conn, "numbers_for_relations", count=len(missing)) if missing else []
    heads = dict(zip(missing, (row["id"] for row in numbers), strict=True))
    plan = _Plan({}, [])
    for pair, rows in groups.items():
        _plan(plan, pair, rows, heads.get(pair), at)
    await _write(conn, plan, at)


def united_roles(words: Iterable[Word]) -> list[str] | None:
    """The roles of all, each once, in order of the alphabet: it must not matter who came first."""
    return sorted({role for word in words for role in word.fields.get(ROLES) or ()}) or None


def _head(pair: tuple[int, int], rows: list[Any]) -> Any:
    return next((row for row in rows if (row["account_id"], row["person_id"]) == pair), None)


def _plan(
    plan: _Plan, pair: tuple[int, int], rows: list[Any], new: int | None, at: datetime
) -> None:
    head = _head(pair, rows)
    head_id = new if head is None else head["id"]
    assert head_id is not None
    own = [
        _own(row) for row in rows if row["survivor_id"] is not None or not row["stands_for_others"]
    ]
    now = stamp(at)
    if [one.id for one in own] == [head_id]:
        _write_row(plan, head, pair, own[0].word.fields, own[0].word.stamps, own[0].deleted_at, now)
        # it goes on keeping its own word, as records do
        if head["survivor_id"] not in (None, head_id):
            plan.own.append((own[0], head_id))
        return
    live = [one.word for one in own if one.deleted_at is None]
    if not own and head is not None:  # made for relations that have gone their own way
        _clear(plan, head, at)
        return
    folded = fold(live or [one.word for one in own])
    fields = dict(folded.fields)
    roles = united_roles(live)
    fields.pop(ROLES, None)
    if roles:
        fields[ROLES] = roles
    gone = None if live else at
    if head is None:
        plan.rows[head_id] = (*pair, fields, folded.stamps, gone)
    else:
        deleted = head["deleted_at"] if gone and head["deleted_at"] else gone
        _write_row(plan, head, pair, fields, folded.stamps, deleted, now)
    for row in rows:
        if (
            row["survivor_id"] is None and row["stands_for_others"]
        ):  # made for what another stands for now
            if row["id"] != head_id:
                _clear(plan, row, at)
            continue
        if row["survivor_id"] != head_id:
            plan.own.append((_own(row), head_id))
        if row["id"] != head_id and row["deleted_at"] is None:
            plan.rows[row["id"]] = (
                row["account_id"], row["person_id"], row["attributes"], row["stamps"], at,
            )  # fmt: skip


def _clear(plan: _Plan, row: Any, at: datetime) -> None:
    pair = (row["account_id"], row["person_id"])
    _write_row(plan, row, pair, {}, {}, row["deleted_at"] or at, stamp(at))


def _own(row: Any) -> Own:
    name = f"{row['account']}\x00{row['person']}"
    if row["survivor_id"] is None:
        return Own(row["id"], Word(name, row["attributes"], row["stamps"]), row["deleted_at"])
    return Own(row["id"], Word(name, row["own"], row["own_stamps"]), row["own_deleted_at"])


def _write_row(
    plan: _Plan,
    row: Any,
    pair: tuple[int, int],
    fields: Any,
    stamps: Any,
    deleted_at: datetime | None,
    now: str,
) -> None:
    new_stamps = raised(row["attributes"], row["stamps"], fields, stamps, now)
    if (row["attributes"], row["stamps"], row["deleted_at"]) != (fields, new_stamps, deleted_at):
        plan.rows[row["id"]] = (*pair, dict(fields), new_stamps, deleted_at)


async def _write(conn: Any, plan: _Plan, at: datetime) -> None:
    if plan.own:
        await sql.execute(
            conn,
            "keep_own_relations",
            ids=[one.id for one, _ in plan.own],
            survivor_ids=[head for _, head in plan.own],
            attributes=[one.word.fields for one, _ in plan.own],
            stamps=[one.word.stamps for one, _ in plan.own],
            deleted=[one.deleted_at for one, _ in plan.own],
            at=at,
        )
    if plan.rows:
        await sql.execute(
            conn,
            "write_united_relations",
            ids=list(plan.rows),
            account_ids=[row[0] for row in plan.rows.values()],
            person_ids=[row[1] for row in plan.rows.values()],
            attributes=[row[2] for row in plan.rows.values()],
            stamps=[row[3] for row in plan.rows.values()],
            deleted=[row[4] for row in plan.rows.values()],
        )
        await sql.execute(
            conn,
            "tell_identity",
            entity="relation",
            ids=list(plan.rows),
            fields=[{}] * len(plan.rows),
            at=at,
        )
