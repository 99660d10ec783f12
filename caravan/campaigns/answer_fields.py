"""What an answer says of fields, written to the records: only those mapped, and of the right type.

Under a savepoint, as actions are: a bad write is an outcome, and the account goes on.
"""

from collections.abc import Mapping
from typing import Any

from caravan.campaigns import recording
from caravan.campaigns.actions import BAD_WRITE
from caravan.campaigns.visit import Visit
from caravan.delivery.errors import UnfitValue
from caravan.delivery.liquid import render_value
from caravan.engage import sql
from caravan.engage.happening import Happening
from caravan.journeys.nodes.call import Call
from caravan.journeys.reasons import SkipReason
from caravan.journeys.service import Service
from caravan.services.callback import Part


async def write_account(visit: Visit, node: Call, said: Mapping[str, Any]) -> SkipReason | None:
    """Write the account's fields, with outbox rows, and record ``account_changed``.

    Returns:
        ``bad-value`` where a value does not fit its field; the others are written all the same.
    """
    wanted, unfit = _wanted(visit, node, "account", said)
    try:
        async with visit.conn.transaction():
            await _write_account(visit, wanted)
    except BAD_WRITE:
        return SkipReason.BAD_VALUE
    return unfit


async def _write_account(visit: Visit, wanted: Mapping[str, Any]) -> None:
    account_id = visit.traversal.account_id
    changed: dict[str, Any] = {}
    for field, value in wanted.items():
        written = await sql.fetchval(
            visit.conn,
            "set_account_field",
            id=account_id,
            field=field,
            fields={field: value},
            at=visit.as_of,
        )
        if written:
            changed[field] = visit.account.get(field)
    if changed:
        fields = {field: wanted[field] for field in changed}
        await _to_outbox(visit, "account", [account_id], [fields])
        happenings = [
            Happening(
                "account_changed",
                visit.as_of,
                account_id=account_id,
                fields=_change(field, old, wanted[field]),
            )
            for field, old in changed.items()
        ]
        await recording.record_of_locked(
            visit.conn, visit.plans, happenings, account_id, visit.as_of
        )
        visit.account.update(fields)


async def write_people(
    visit: Visit, node: Call, parts: Mapping[int, Part]
) -> dict[int, SkipReason | None]:
    """Write the people's fields, with outbox rows, and record ``person_changed``.

    Returns:
        ``bad-value`` for each person of whom a value does not fit its field.
    """
    unfit: dict[int, SkipReason | None] = {}
    wanted: dict[int, dict[str, Any]] = {}
    for person_id, part in parts.items():
        wanted[person_id], why = _wanted(visit, node, "person", part.fields)
        if why is not None:
            unfit[person_id] = why
    try:
        async with visit.conn.transaction():
            await _write_people(visit, wanted)
    except BAD_WRITE:
        return dict.fromkeys(parts, SkipReason.BAD_VALUE)
    return unfit


async def _write_people(visit: Visit, wanted: Mapping[int, Mapping[str, Any]]) -> None:
    happenings = []
    for field in sorted({field for values in wanted.values() for field in values}):
        ids = sorted(person_id for person_id, values in wanted.items() if field in values)
        fields = [{field: wanted[person_id][field]} for person_id in ids]
        rows = await sql.fetch(
            visit.conn, "set_person_fields", ids=ids, fields=fields, field=field, at=visit.as_of
        )
        old = {row["id"]: row["old"] for row in rows}
        changed = sorted(old)
        if changed:
            await _to_outbox(
                visit, "person", changed, [{field: wanted[one][field]} for one in changed]
            )
        happenings += [
            Happening(
                "person_changed",
                visit.as_of,
                person_id=one,
                fields=_change(field, old[one], wanted[one][field]),
            )
            for one in changed
        ]
    await recording.record(visit.conn, visit.plans, happenings, visit.as_of)


def _wanted(
    visit: Visit, node: Call, entity: str, said: Mapping[str, Any]
) -> tuple[dict[str, Any], SkipReason | None]:
    """Our fields and their new values; what is not mapped to this entity is left alone."""
    service: Service = visit.loaded.plan.services[node.service]
    wanted: dict[str, Any] = {}
    unfit = None
    for name, value in said.items():
        to = service.takes.get(name)
        if to is None or to.entity != entity:
            continue
        try:
            wanted[to.field] = render_value(
                value, visit.loaded.plan.catalog.of(to.entity)[to.field]
            )
        except UnfitValue:
            unfit = SkipReason.BAD_VALUE
    return wanted, unfit


async def _to_outbox(
    visit: Visit, entity: str, ids: list[int], fields: list[dict[str, Any]]
) -> None:
    await sql.execute(
        visit.conn, "write_changes", entity=entity, ids=ids, fields=fields, at=visit.as_of
    )


def _change(field: str, old: Any, new: Any) -> dict[str, Any]:
    return {"field": field, "from": old, "to": new}
