"""Making records one, keeping the unified record as their words fold, and taking them apart again.

Everything here is in the caller's transaction, who holds ``one_writer``. A record that was one with others and
has parted goes on keeping its own word: its row has the instant of the parting, by which other stores take it, and what
comes late is judged by what the record said itself. What belongs to records follows
them both ways: relations are united, opportunities and activities go to the record that stands for theirs,
and each remembers whose it was.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from caravan.platform import sql
from caravan.platform.folding import DELETED, Folded, Word, alone, fold, later, opt_outs_of
from caravan.platform.stamps import raised, stamp
from caravan.platform.united_relations import unite_relations

Entity = Literal["account", "person"]
TABLE: dict[Entity, str] = {"account": "accounts", "person": "people"}
NOTHING = Word("", {}, {})


@dataclass(frozen=True)
class Unified:
    """What a unified record is folded from: the word of each of its records, and what was said of it as a whole."""

    own: dict[int, Word]
    together: Word | None = None

    def fold(self) -> Folded:
        return fold(list(self.own.values()), self.together)


async def unite(
    conn: Any, entity: Entity, clusters: Mapping[int, Collection[int]], at: datetime
) -> None:
    """Make each cluster one record.

    Args:
        conn: of the sandbox, in a transaction.
        entity: of whom.
        clusters: by the record that stands for it, all of its records, also those that were one already.
        at: domain time.
    """
    await sql.execute(conn, "lock_identities")
    members = [one for ids in clusters.values() for one in ids]
    was = await one_with_others(conn, entity, members)
    joining: dict[int, int] = {}
    moved: dict[int, set[int]] = {}
    for survivor, ids in clusters.items():
        before = {was[one] for one in ids if one in was}
        if before <= {survivor}:
            joining |= {one: survivor for one in ids if one not in was}
        else:  # nobody has said anything yet of them all together: since now they are one
            joining |= dict.fromkeys(ids, survivor)
            moved[survivor] = before - {survivor}
    await _keep_own_words(conn, entity, joining, at)
    await _gather_what_was_said(conn, entity, moved)
    await _bring_back(conn, entity, list(clusters), at)
    gone = await sql.fetch(
        conn, f"put_away_{TABLE[entity]}", entity=entity, survivor_ids=list(clusters), at=at
    )
    await _tell(conn, entity, [row["id"] for row in gone], at)
    await refold(conn, entity, list(clusters), at)
    await _follow(
        conn, entity, [one for one in members if was.get(one) is None or one in joining], at
    )


async def refold(conn: Any, entity: Entity, survivors: Collection[int], at: datetime) -> None:
    """Write unified records as their words fold now."""
    unified = await words(conn, entity, survivors)
    await _write(conn, entity, {one: it.fold() for one, it in unified.items()}, at)


async def words(conn: Any, entity: Entity, survivors: Collection[int]) -> dict[int, Unified]:
    """What unified records are folded from, by the record that stands for each."""
    ids = sorted(survivors)
    own: dict[int, dict[int, Word]] = {}
    for row in await sql.fetch(conn, f"words_of_{TABLE[entity]}", entity=entity, survivor_ids=ids):
        word = Word(row["name"], row["attributes"], row["stamps"], row["since"])
        own.setdefault(row["survivor_id"], {})[row["id"]] = word
    together = await _said_together(conn, entity, ids)
    return {one: Unified(own[one], together.get(one)) for one in ids if one in own}


async def survivors_of(conn: Any, entity: Entity, ids: Collection[int]) -> dict[int, int]:
    """Of these records those that keep a word of their own, and who stands for them.

    They are one with others, or have been and stand for themselves.
    """
    rows = await sql.fetch(conn, "survivors_of", entity=entity, ids=sorted(ids))
    return {row["id"]: row["survivor_id"] for row in rows}


async def one_with_others(conn: Any, entity: Entity, ids: Collection[int]) -> dict[int, int]:
    """Of these records those that are one with others now, and who stands for them."""
    rows = await sql.fetch(conn, "one_with_others", entity=entity, ids=sorted(ids))
    return {row["id"]: row["survivor_id"] for row in rows}


async def say(
    conn: Any,
    entity: Entity,
    said: Sequence[tuple[int, Mapping[str, Any], datetime]],
    at: datetime,
) -> None:
    """What writers other than files say of records that keep a word of their own, each record once.

    Said of the one that stands for others, it is of all of them; of another, it is that record's own word.
    """
    survivor_of = await survivors_of(conn, entity, [one for one, _, _ in said])
    for deleted in (True, False):
        flagged = {
            one: as_of
            for one, fields, as_of in said
            if DELETED in fields and (fields[DELETED] is not None) is deleted
        }
        await flag(conn, entity, await with_all_of(conn, entity, flagged), deleted=deleted)
    said = [
        (one, {name: value for name, value in fields.items() if name != DELETED}, as_of)
        for one, fields, as_of in said
    ]
    united = await one_with_others(conn, entity, survivor_of)
    own = [one for one in said if united.get(one[0]) != one[0]]
    if own:
        await sql.execute(
            conn,
            "say_of_own",
            entity=entity,
            ids=[record for record, _, _ in own],
            fields=[fields for _, fields, _ in own],
            as_ofs=[as_of for _, _, as_of in own],
        )
    whole = [one for one in said if united.get(one[0]) == one[0]]
    together = await _said_together(conn, entity, [record for record, _, _ in whole])
    for record, values, as_of in whole:
        given = {name: value for name, value in values.items() if value is not None}
        word = Word("", given, dict.fromkeys(values, stamp(as_of)))
        together[record] = later(together.get(record, NOTHING), word)
    await _keep_together(conn, entity, together)
    await refold(conn, entity, set(survivor_of.values()), at)


async def with_all_of(
    conn: Any, entity: Entity, said: Mapping[int, datetime]
) -> dict[int, datetime]:
    """What is said of records at an instant, said of all that they stand for."""
    rows = await sql.fetch(conn, "members_of", entity=entity, survivor_ids=sorted(said))
    return dict(said) | {one: said[row["survivor_id"]] for row in rows for one in row["ids"]}


async def flag(
    conn: Any, entity: str, said: Mapping[int, datetime], *, deleted: bool
) -> dict[int, int]:
    """Flag the own words of records that are one with others as deleted, or as there again.

    The caller folds the unified records anew.

    Args:
        conn: of the sandbox, in a transaction that holds ``one_writer``.
        entity: what they are, relations too.
        said: since when, by record.
        deleted: or else there again.

    Returns:
        Those whose word is another now, and who stands for each.
    """
    if not said:
        return {}
    rows = await sql.fetch(
        conn,
        "flag_own_words",
        entity=entity,
        ids=list(said),
        ats=list(said.values()),
        deleted=deleted,
    )
    return {row["id"]: row["survivor_id"] for row in rows}


async def part(
    conn: Any, entity: Entity, survivor: int, parts: Sequence[Collection[int]], at: datetime
) -> None:
    """Take a unified record apart.

    What was said of it as a whole stays with the record that stood for it; an opt-out, with each part.

    Args:
        conn: of the sandbox, in a transaction.
        entity: of whom.
        survivor: the record that stands for them.
        parts: its records as they are to be one from now on.
        at: domain time.
    """
    await sql.execute(conn, "lock_identities")
    unified = (await words(conn, entity, [survivor]))[survivor]
    await sql.execute(conn, "drop_words_said_together", entity=entity, survivor_ids=[survivor])
    rows: dict[int, Folded] = {}
    for ids in parts:
        head = min(ids)
        together = unified.together
        if together is not None and survivor not in ids:
            together = opt_outs_of(together)
        own = {one: unified.own[one] for one in ids}
        if len(ids) == 1:
            own[head], together = alone(own[head], together), None
            await _keep_own_word(conn, entity, head, own[head])
        rows[head] = Unified(own, together).fold()
        await sql.execute(conn, "stand_for", entity=entity, ids=list(ids), survivor_id=head)
        if together is not None:
            await _keep_together(conn, entity, {head: together})
    heads = list(rows)
    await _bring_back(conn, entity, heads, at)
    await sql.execute(conn, f"put_away_{TABLE[entity]}", entity=entity, survivor_ids=heads, at=at)
    await _write(conn, entity, rows, at)
    members = list(unified.own)
    await _tell(conn, entity, [one for one in members if one not in rows], at)
    await _follow(conn, entity, members, at)


async def _bring_back(conn: Any, entity: Entity, heads: Sequence[int], at: datetime) -> None:
    """Have records stand for themselves, or for others, that another stood for."""
    rows = await sql.fetch(conn, f"bring_back_{TABLE[entity]}", ids=list(heads))
    await _tell(conn, entity, [row["id"] for row in rows], at)


async def _keep_own_words(
    conn: Any, entity: Entity, joining: Mapping[int, int], at: datetime
) -> None:
    await sql.execute(
        conn,
        f"keep_own_words_of_{TABLE[entity]}",
        entity=entity,
        ids=list(joining),
        survivor_ids=list(joining.values()),
        at=at,
    )


async def _keep_own_word(conn: Any, entity: Entity, record_id: int, word: Word) -> None:
    """Its fields; whether it is deleted is kept beside them and is as it was."""
    await sql.execute(
        conn,
        "keep_own_word",
        entity=entity,
        id=record_id,
        attributes={name: value for name, value in word.fields.items() if name != DELETED},
        stamps=word.stamps,
    )


async def _gather_what_was_said(
    conn: Any, entity: Entity, moved: Mapping[int, Collection[int]]
) -> None:
    """What was said of unified records that are now part of another is said of that one."""
    if not moved:
        return
    before = await _said_together(
        conn, entity, {*moved, *(one for ids in moved.values() for one in ids)}
    )
    gathered: dict[int, Word] = {}
    for survivor, ids in moved.items():
        for one in (survivor, *sorted(ids)):
            if one in before:
                gathered[survivor] = later(gathered.get(survivor, NOTHING), before[one])
    await sql.execute(conn, "drop_words_said_together", entity=entity, survivor_ids=list(before))
    await _keep_together(conn, entity, gathered)


async def _said_together(conn: Any, entity: Entity, ids: Collection[int]) -> dict[int, Word]:
    rows = await sql.fetch(conn, "words_said_together", entity=entity, survivor_ids=sorted(ids))
    return {row["survivor_id"]: Word("", row["attributes"], row["stamps"]) for row in rows}


async def _keep_together(conn: Any, entity: Entity, said: Mapping[int, Word]) -> None:
    if said:
        await sql.execute(
            conn,
            "keep_words_said_together",
            entity=entity,
            survivor_ids=list(said),
            attributes=[word.fields for word in said.values()],
            stamps=[word.stamps for word in said.values()],
        )


async def _write(conn: Any, entity: Entity, folded: Mapping[int, Folded], at: datetime) -> None:
    """Write records as they are now, and tell those that read the outbox; who is as before is left alone."""
    ids, attributes, stamps, changed = [], [], [], []
    for row in await sql.fetch(conn, f"{TABLE[entity]}_as_they_are", ids=list(folded)):
        now = folded[row["id"]]
        new_stamps = raised(row["attributes"], row["stamps"], now.fields, now.stamps, stamp(at))
        if (row["attributes"], row["stamps"]) == (now.fields, new_stamps):
            continue
        ids.append(row["id"])
        attributes.append(now.fields)
        stamps.append(new_stamps)
        differing = {
            name
            for name in row["attributes"].keys() | now.fields.keys()
            if row["attributes"].get(name) != now.fields.get(name)
        }
        changed.append({name: now.fields.get(name) for name in sorted(differing)})
    if ids:
        await sql.execute(
            conn, f"write_unified_{TABLE[entity]}", ids=ids, attributes=attributes, stamps=stamps
        )
    await _tell(conn, entity, ids, at, changed)


async def _tell(
    conn: Any,
    entity: str,
    ids: Sequence[int],
    at: datetime,
    fields: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    if ids:
        await sql.execute(
            conn,
            "tell_identity",
            entity=entity,
            ids=list(ids),
            fields=list(fields) if fields is not None else [{}] * len(ids),
            at=at,
        )


async def _follow(conn: Any, entity: Entity, ids: Sequence[int], at: datetime) -> None:
    """What belongs to records goes to whoever stands for them now."""
    rows = await sql.fetch(conn, f"relations_of_{TABLE[entity]}", ids=list(ids))
    await unite_relations(conn, [row["id"] for row in rows], at)
    if entity == "account":
        moved = await sql.fetch(conn, "repoint_opportunities", account_ids=list(ids))
        await _tell(conn, "opportunity", [row["id"] for row in moved], at)
    await sql.execute(conn, f"repoint_activities_of_{TABLE[entity]}", ids=list(ids))
