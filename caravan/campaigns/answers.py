"""Settling a call: which came first, answer or time-out, what the answer writes, and where it leads.

A call's row is closed once, and the first commit wins. Accessors choose the account's path, or each
person's; fields are written as the actions ``update_account`` and ``update_person`` write them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.campaigns import answer_fields
from caravan.campaigns.effects import ACCOUNT, Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.engage import sql
from caravan.journeys.conditions.sql import Binder, event_predicate
from caravan.journeys.nodes.call import Call
from caravan.journeys.nodes.paths import OTHERWISE, names
from caravan.journeys.reasons import SkipReason
from caravan.services.callback import Part, Parts

#: where the call itself stands among the effects of its node: before those of its paths' actions
CALL = Place(-1, None)


@dataclass(frozen=True)
class Settled:
    """How a call ended; ``edge`` None: the paths' actions follow. ``people``: so many were looked at."""

    edge: str | None
    because: dict[str, Any]
    people: int = 0


async def settle(visit: Visit, node: Call, until: datetime) -> Settled | None:
    """Ask the rows of a visit what became of the call; None while an answer is still waited for."""
    key = {"traversal_id": visit.traversal.id, "node": visit.node, "visit": visit.number}
    rows = await sql.fetch(visit.conn, "calls_of_visit", **key)
    if any(row["state"] in ("claimed", "submitted") for row in rows):
        if visit.as_of < until:
            return None
        await sql.execute(visit.conn, "time_out_calls", **key)
        rows = await sql.fetch(visit.conn, "calls_of_visit", **key)
    if not node.of_people:
        [row] = rows
        return await _settle_account(visit, node, row)
    return await _settle_people(visit, node, rows)


async def are_there(visit: Visit) -> bool:
    """Whether nothing more is waited for; the rows stay locked."""
    key = {"traversal_id": visit.traversal.id, "node": visit.node, "visit": visit.number}
    rows = await sql.fetch(visit.conn, "calls_of_visit", **key)
    return all(row["state"] not in ("claimed", "submitted") for row in rows)


async def _settle_account(visit: Visit, node: Call, row: Any) -> Settled:
    part = _account_part(row)
    if isinstance(part, SkipReason):  # the edge it leaves by has the same name
        await note(visit, CALL, "call", [Effect(ACCOUNT, part)])
        return Settled(part, _lost(row, part))
    unfit = await answer_fields.write_account(visit, node, part.fields)
    await note(visit, CALL, "call", [Effect(ACCOUNT, unfit)])
    edge = await _choose(visit, node, part.accessors)
    return Settled(edge, _because(part.accessors), people=1)


async def _settle_people(visit: Visit, node: Call, rows: list[Any]) -> Settled:
    parts: dict[int, Part] = {}
    lost: dict[int, SkipReason] = {}
    reasons: dict[str, Any] = {}
    unfit: dict[int, SkipReason | None] = {}
    for row in rows:
        answer = _answer(row)
        if isinstance(answer, SkipReason):
            lost[row["person_id"]] = answer
            reasons |= _lost(row, answer)
            continue
        if answer.account is not None and answer.account.ok:
            unfit[ACCOUNT] = await answer_fields.write_account(visit, node, answer.account.fields)
        for person_id, part in answer.people.items():
            if part.ok:
                parts[person_id] = part
            else:
                lost[person_id] = SkipReason.FAILED
                reasons["reason"] = part.reason
    unfit |= await answer_fields.write_people(visit, node, parts)
    await note(
        visit,
        CALL,
        "call",
        [
            Effect(one, why)
            for one, why in sorted({**dict.fromkeys(parts), **unfit, **lost}.items())
        ],
    )
    if rows and not parts:
        # nobody's answer can be used: the way of time-outs, where all of them timed out
        return Settled(
            "timeout" if set(lost.values()) == {SkipReason.TIMEOUT} else "failed", reasons
        )
    if parts:
        await _give_paths(visit, node, parts)
    segments = visit.loaded.control.nodes[visit.node].segments
    return Settled("next" if len(segments) == 1 else None, {}, people=len(parts) + 1)


def _answer(row: Any) -> Parts | SkipReason:
    """A row's answer, or else why there is none to use."""
    if row["state"] != "answered":
        return SkipReason.TIMEOUT if row["state"] == "timed_out" else SkipReason.FAILED
    answer = Parts.model_validate(row["answer"])
    return answer if answer.ok else SkipReason.FAILED


def _account_part(row: Any) -> Part | SkipReason:
    answer = _answer(row)
    if isinstance(answer, SkipReason):
        return answer
    return answer.account or SkipReason.FAILED


def _lost(row: Any, why: SkipReason) -> dict[str, Any]:
    """Why nothing came of it, for ``account show``."""
    said = (row["answer"] or {}).get("reason") or row["reply"]
    return {"reason": said} if said else {"reason": why}


def _because(accessors: dict[str, Any]) -> dict[str, Any]:
    return {f"accessor.{name}": value for name, value in accessors.items() if value is not None}


async def _choose(visit: Visit, node: Call, accessors: dict[str, Any]) -> str:
    """The first path, from the top, whose tests the accessors pass."""
    if not node.paths:
        return OTHERWISE

    def build(binder: Binder) -> str:
        edges = [str(number) for number in range(1, len(node.paths) + 1)]
        said = binder.named("accessors", "jsonb")
        return (
            f"select {_first_match(node, edges, binder)} as edge from (select {said} as fields) e"
        )

    query = visit.loaded.query(("accessors", visit.node), build, visit.zones)
    row = await query.fetchrow(visit.conn, **visit.named, accessors=accessors)
    return row["edge"] or OTHERWISE


async def _give_paths(visit: Visit, node: Call, parts: dict[int, Part]) -> None:
    """Each person's path, kept with the accessors that chose it; who fits none skips on."""

    def build(binder: Binder) -> str:
        return (
            f"update participants x set path = {_first_match(node, names(node.paths), binder)},"
            " because = e.fields"
            f" from unnest({binder.named('person_ids', 'bigint[]')},"
            f" {binder.named('accessors', 'jsonb[]')}) as e (person_id, fields)"
            f" where x.traversal_id = {binder.named('traversal_id', 'bigint')}"
            f" and x.node = {binder.literal(visit.node, 'text')}"
            f" and x.visit = {binder.named('visit', 'integer')} and x.person_id = e.person_id"
        )

    query = visit.loaded.query(("accessors", visit.node), build, visit.zones)
    await query.fetch(
        visit.conn,
        **visit.named,
        visit=visit.number,
        person_ids=list(parts),
        accessors=[part.accessors for part in parts.values()],
    )


def _first_match(node: Call, edges: list[str], binder: Binder) -> str:
    cases = "".join(
        f" when {event_predicate(path.when, binder, 'e')} then {binder.literal(edge, 'text')}"
        for path, edge in zip(node.paths, edges, strict=True)
    )
    return f"case{cases} end" if cases else "null::text"
