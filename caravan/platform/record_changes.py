"""A change of one record from outside: the fields named take new values at an instant.

Unlike a row of a file, it counts whatever was imported before, and a later word of a journey alone
overrules it. A record that is not there comes to be.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.journeys.conditions.operators import UnfitOperand
from caravan.journeys.conditions.scope import nearest
from caravan.journeys.fields import Entity, FieldCatalog
from caravan.platform import identity, sql, uniting
from caravan.platform.cells import parser_of
from caravan.platform.source_files import bad_id
from caravan.platform.united_relations import unite_relations

ENTITIES: tuple[Entity, ...] = ("account", "person", "opportunity", "relation")


class BadChange(ValueError):
    """A change that no store can take; says why."""


@dataclass(frozen=True)
class RecordChange:
    """What changes: a record by its outside id; a relation by those of its account and its person."""

    entity: Entity
    id: str
    account: str | None
    person: str | None
    fields: Mapping[str, Any]
    roles: tuple[str, ...] | None = None


def read_change(
    entity: object, identity: object, values: object, catalog: FieldCatalog
) -> RecordChange:
    """A change as files and tests write it: ``{"change": "account", "id": …, "set": {…}}``.

    A relation's id is ``[account, person]`` or ``{account_id, person_id}``.

    Raises:
        BadChange: it is none.
    """
    if entity not in ENTITIES:
        raise BadChange(f"change takes one of {', '.join(ENTITIES)}")
    if not isinstance(values, dict):
        raise BadChange("set takes a mapping of fields")
    values = dict(values)
    account = person = None
    if entity == "relation":
        account, person = _pair(identity)
    elif not isinstance(identity, str | int) or isinstance(identity, bool) or bad_id(str(identity)):
        raise BadChange(f"id takes the id of the {entity}")
    roles = _roles(values.pop("roles", None)) if entity in ("relation", "person") else None
    if entity in ("person", "opportunity") and values.get("account_id") is not None:
        account = str(values.pop("account_id"))
    return RecordChange(
        entity=entity,
        id=str(identity) if entity != "relation" else f"{account}/{person}",
        account=account,
        person=person,
        fields=_fields(values, entity, catalog),
        roles=roles,
    )


async def apply_change(conn: Any, change: RecordChange, at: datetime) -> None:
    """Write it to the sandbox, in the caller's transaction, with its outbox row."""
    await sql.execute(conn, "one_writer")
    match change.entity:
        case "account" | "person":
            await _write(conn, change.entity, change, at)
            if change.account is not None:
                await _relate(conn, change, change.account, change.id, {}, at)
        case "opportunity":
            await sql.execute(
                conn,
                "write_opportunity",
                external_id=change.id,
                fields=change.fields,
                account=change.account,
                at=at,
            )
        case "relation":
            assert change.account is not None
            assert change.person is not None
            await _relate(conn, change, change.account, change.person, change.fields, at)


async def _write(conn: Any, entity: uniting.Entity, change: RecordChange, at: datetime) -> None:
    """Write one account or person; what is said of one that is one with others is said of all of them."""
    table = uniting.TABLE[entity]
    rows = await sql.fetch(conn, f"ids_of_{table}", external_ids=[change.id])
    united = await uniting.survivors_of(conn, entity, [row["id"] for row in rows])
    if united:
        await uniting.say(conn, entity, [(one, change.fields, at) for one in united], at)
        return
    await sql.execute(
        conn,
        f"write_{table}",
        external_id=change.id,
        fields=change.fields,
        entity=entity,
        at=at,
    )
    rows = await sql.fetch(conn, f"ids_of_{table}", external_ids=[change.id])
    await identity.settle(conn, entity, [row["id"] for row in rows], at)


async def _relate(
    conn: Any,
    change: RecordChange,
    account: str,
    person: str,
    fields: Mapping[str, Any],
    at: datetime,
) -> None:
    roles = {} if change.roles is None else {"roles": list(change.roles) or None}
    said = {"account": account, "person": person, "fields": {**fields, **roles}, "at": at}
    await sql.execute(conn, "write_relation", **said)
    await sql.execute(conn, "say_of_relation", **said)
    named = await sql.fetch(conn, "relations_named", accounts=[account], people=[person])
    await unite_relations(conn, [row["id"] for row in named], at)


def _pair(identity: object) -> tuple[str, str]:
    if isinstance(identity, dict):
        identity = [identity.get("account_id"), identity.get("person_id")]
    if isinstance(identity, list) and len(identity) == 2:
        account, person = (str(one) if one is not None else "" for one in identity)
        if not bad_id(account) and not bad_id(person):
            return account, person
    raise BadChange("the id of a relation is [account, person]")


def _roles(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    given = value.split(";") if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(role, str) for role in given):
        raise BadChange("roles takes a list of roles")
    return tuple(dict.fromkeys(role.strip() for role in given if role.strip()))


def _fields(values: dict[str, Any], entity: Entity, catalog: FieldCatalog) -> dict[str, Any]:
    known = catalog.of(entity)
    fields = {}
    for name, value in values.items():
        if name not in known:
            raise BadChange(f"{entity} has no field {name}{nearest(name, known)}")
        try:
            fields[name] = parser_of(known[name])(as_cell(value))
        except UnfitOperand as error:
            raise BadChange(f"{name} {value!r}: {error}") from None
    return fields


def as_cell(value: object) -> str:
    """A value as a cell of a file would have it."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        raise UnfitOperand("one value was expected")
    return str(value).lower() if isinstance(value, bool) else str(getattr(value, "text", value))
