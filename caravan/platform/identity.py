"""Which records are one: found by the workspace's rules among what was just written, never by guess.

Whoever writes records of the sandbox asks here afterwards, page by page and in the same transaction, so
nobody sees a record that a rule says is another's. A match that was made stays, whatever the values say
later, until somebody takes it back.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.database.outbox import nudge
from caravan.journeys.documents import IdentityDocument
from caravan.platform import sql, uniting
from caravan.platform.matching import Clusters, Match, Rule, key_of, matches_of, parts_of, values_of
from caravan.platform.uniting import TABLE, Entity

PAGE = 5000
OF: dict[str, Entity] = {"people": "person", "accounts": "account"}


@dataclass(frozen=True)
class Merged:
    """Two records that were made one: by outside ids, with what they have in common."""

    rule: str
    record: str
    like: str
    matched: Mapping[str, str]


async def store_rules(conn: Any, documents: Collection[IdentityDocument]) -> None:
    """Store the rules of a workspace, in the caller's transaction.

    One that is gone matches nobody any more; what it has made one stays one.
    """
    await sql.execute(conn, "one_writer")
    await sql.execute(conn, "forget_identity_rules", slugs=[one.identity for one in documents])
    for document in documents:
        await sql.execute(
            conn,
            "store_identity_rule",
            slug=document.identity,
            of=document.of,
            match=list(document.match),
        )


async def match_page(pool: Any, at: datetime) -> int | None:
    """Look at the next records that were there before a rule was.

    Returns:
        How many it looked at; None when all have been.
    """
    async with pool.acquire() as conn, conn.transaction():
        await sql.execute(conn, "one_writer")
        open_rules = [
            row for row in await sql.fetch(conn, "identity_rules") if row["matched_to"] is not None
        ]
        if not open_rules:
            return None
        of = open_rules[0]["of"]
        same = [row for row in open_rules if row["of"] == of]
        after = min(row["matched_to"] for row in same)
        rows = await sql.fetch(conn, f"next_{of}_to_match", after=after, limit=PAGE)
        ids = [row["id"] for row in rows]
        await settle(conn, OF[of], ids, at)
        await sql.execute(
            conn,
            "note_matched_to",
            slugs=[row["slug"] for row in same],
            matched_to=ids[-1] if ids else None,
        )
        await nudge(conn)
    return len(ids)


async def rules_of(conn: Any, entity: Entity) -> list[Rule]:
    """The rules about people, or about accounts."""
    return [
        Rule(row["slug"], tuple(row["match"]))
        for row in await sql.fetch(conn, "identity_rules")
        if OF[row["of"]] == entity
    ]


async def settle(
    conn: Any, entity: Entity, ids: Collection[int], at: datetime, source: str | None = None
) -> list[Merged]:
    """Make one what rules say is, among records that were just written; returns what was made one.

    Args:
        conn: of the sandbox, in a transaction that holds ``one_writer``.
        entity: of whom.
        ids: who was written, by their own numbers, whoever stands for them.
        at: domain time.
        source: whose import wrote them; None: nobody's.
    """
    rules = await rules_of(conn, entity)
    if not ids or not rules:
        return []
    said = await _renew_keys(conn, entity, rules, ids)
    sharing = await sql.fetch(conn, "sharing_keys", entity=entity, ids=sorted(ids))
    others = {one for row in sharing for one in row["ids"]} - said.keys()
    said |= await _own_words(conn, entity, others)  # who was deleted has none, and is nobody's like
    found = [
        match
        for row in sharing
        for match in matches_of(row["rule"], [one for one in row["ids"] if one in said])
    ]
    if not found:
        return []
    clusters = await _clusters(conn, entity, found)
    made = clusters.join(found)
    if not made:
        return []
    by_slug = {rule.slug: rule for rule in rules}
    merged = [
        Merged(
            match.rule,
            said[match.record_id][0],
            said[match.like_id][0],
            values_of(by_slug[match.rule], said[match.record_id][1]) or {},
        )
        for match in made
    ]
    grown = {clusters.of(match.record_id) for match in made}
    await uniting.unite(conn, entity, {one: clusters.members[one] for one in grown}, at)
    await _note(conn, entity, made, clusters, [one.matched for one in merged], source, at)
    return merged


async def unmerge(
    conn: Any, entity: Entity, record_id: int, why: str | None, at: datetime
) -> list[list[int]]:
    """Take a record out of the unified record it is in, in a transaction that holds ``one_writer``.

    The others stay one as far as rules hold them together without it. No rule brings it back to them.

    Returns:
        The records as they are one now, part by part; empty where it was one with nobody.
    """
    survivor = (await uniting.one_with_others(conn, entity, [record_id])).get(record_id)
    if survivor is None:
        return []
    [row] = await sql.fetch(conn, "members_of", entity=entity, survivor_ids=[survivor])
    rest = [one for one in row["ids"] if one != record_id]
    noted = [
        row
        for row in await sql.fetch(conn, "merges_of", entity=entity, ids=row["ids"])
        if row["undone_at"] is None
    ]
    edges = [_edge(row) for row in noted]
    parts = [[record_id], *parts_of(rest, edges)]
    await uniting.part(conn, entity, survivor, parts, at)
    await sql.execute(conn, "keep_apart", entity=entity, id=record_id, other_ids=rest, at=at)
    cut = [row for row in noted if record_id in (row["record_id"], row["like_id"])]
    await sql.execute(conn, "undo_merges", ids=[row["id"] for row in cut], at=at, why=why)
    await _note_what_holds(conn, entity, parts[1:], record_id, cut, at)
    await nudge(conn)
    return parts


async def _clusters(conn: Any, entity: Entity, found: list[Match]) -> Clusters:
    """The clusters of those who are matched, as they are, and whom of them somebody took apart."""
    ids = {one for match in found for one in (match.record_id, match.like_id)}
    survivors = set((await uniting.survivors_of(conn, entity, ids)).values())
    members = {
        row["survivor_id"]: frozenset(row["ids"])
        for row in await sql.fetch(
            conn, "members_of", entity=entity, survivor_ids=sorted(survivors)
        )
    }
    everyone = ids.union(*members.values())
    apart = await sql.fetch(conn, "pairs_kept_apart", entity=entity, ids=sorted(everyone))
    return Clusters(members, frozenset((row["id"], row["other_id"]) for row in apart))


async def _renew_keys(
    conn: Any, entity: Entity, rules: list[Rule], ids: Collection[int]
) -> dict[int, tuple[str, Mapping[str, Any]]]:
    said = await _own_words(conn, entity, ids)
    keyed = [(one, rule, key_of(rule, said[one][1])) for one in said for rule in rules]
    await sql.execute(
        conn,
        "renew_match_keys",
        entity=entity,
        record_ids=[one for one, _, _ in keyed],
        rules=[rule.slug for _, rule, _ in keyed],
        keys=[key for _, _, key in keyed],
    )
    return said


async def _own_words(
    conn: Any, entity: Entity, ids: Collection[int]
) -> dict[int, tuple[str, Mapping[str, Any]]]:
    rows = await sql.fetch(conn, f"own_words_of_{TABLE[entity]}", entity=entity, ids=sorted(ids))
    return {row["id"]: (row["name"], row["attributes"]) for row in rows}


async def _note(
    conn: Any,
    entity: Entity,
    made: list[Match],
    clusters: Clusters,
    matched: list[Mapping[str, str]],
    source: str | None,
    at: datetime,
) -> None:
    await sql.execute(
        conn,
        "note_merges",
        entity=entity,
        record_ids=[match.record_id for match in made],
        like_ids=[match.like_id for match in made],
        survivor_ids=[clusters.of(match.record_id) for match in made],
        rules=[match.rule for match in made],
        matched=matched,
        source=source,
        at=at,
    )


async def _note_what_holds(
    conn: Any,
    entity: Entity,
    parts: list[list[int]],
    gone: int,
    cut: list[Any],
    at: datetime,
) -> None:
    """Matches with the one that has gone are of those who shared its values with each other from now on."""
    held: dict[tuple[int, str, str], list[int]] = {}
    part_of = {one: min(ids) for ids in parts for one in ids}
    for row in cut:
        other = row["like_id"] if row["record_id"] == gone else row["record_id"]
        edge = _edge(row)
        held.setdefault((part_of[other], edge.rule, edge.values), []).append(other)
    for (head, rule, values), ids in held.items():
        first, *others = sorted(ids)
        if others:
            await sql.execute(
                conn,
                "note_merges",
                entity=entity,
                record_ids=others,
                like_ids=[first] * len(others),
                survivor_ids=[head] * len(others),
                rules=[rule] * len(others),
                matched=[json.loads(values)] * len(others),
                source=None,
                at=at,
            )


def _edge(row: Any) -> Match:
    values = json.dumps(row["matched"], sort_keys=True)
    return Match(row["rule"], row["record_id"], row["like_id"], values)
