"""Claiming a call: a row for each request, written before the service is asked."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.campaigns import choosing
from caravan.campaigns.asking_outside import opened
from caravan.campaigns.plans import PlanCache
from caravan.campaigns.progress import Locked, Progress
from caravan.campaigns.served import Served
from caravan.campaigns.visit import Visit
from caravan.campaigns.wording import value as worded
from caravan.delivery.errors import DeliveryError
from caravan.engage import sql
from caravan.journeys.nodes.call import Call
from caravan.journeys.service import Scalar, Service
from caravan.journeys.state import Command
from caravan.services.request import Called, JourneyToldOf
from caravan.services.tokens import digest, token_of


@dataclass(frozen=True)
class Callbacks:
    """How services reach us: where they answer, and what their tokens are made of."""

    munchkin: str
    url: str = ""  # the operator has not set it: nobody could answer, and nobody is asked
    secret: str = ""

    @property
    def missing(self) -> str | None:
        """The setting without which nobody can be asked."""
        if not self.url:
            return "PUBLIC_URL"
        return None if self.secret else "GATEWAY_SECRET"


@dataclass(frozen=True)
class Request:
    """One request that is ours to make; the account's own, or one person's."""

    call_id: int
    person_id: int
    token: str
    id: str


@dataclass(frozen=True)
class CallStep:
    """A call as its traversal was locked for it, with all that its requests tell."""

    locked: Locked
    command: Command
    node: Call
    service: Service
    asked_at: datetime  # when it was first claimed: how long it was held before does not count
    journey: JourneyToldOf
    account: Called
    people: tuple[Called, ...]
    values: Mapping[str, Scalar | None]
    unfit: str | None  # why nothing can be asked with this account's data
    requests: tuple[Request, ...]

    @property
    def key(self) -> dict[str, Any]:
        """What the rows of the call have in common."""
        return {
            "traversal_id": self.locked.traversal.id,
            "node": self.command.node,
            "visit": self.command.visit,
        }


async def claim(
    pool: Any, plans: PlanCache, callbacks: Callbacks, traversal_id: int, step_no: int, at: datetime
) -> CallStep | Served:
    """Claim the call a traversal stands at; where nothing is to be asked, what it came to instead."""
    async with pool.acquire() as conn, conn.transaction():
        open = await opened(conn, plans, "call", traversal_id, step_no, at)
        if isinstance(open, Served):
            return open
        visit = Progress(open.locked).visit(conn, plans, open.command, at)
        return await _claim(visit, open.locked, open.command, callbacks)


async def _claim(visit: Visit, locked: Locked, command: Command, callbacks: Callbacks) -> CallStep:
    node = visit.loaded.plan.nodes[visit.node]
    assert isinstance(node, Call)
    if node.of_people:
        await choosing.gather_people(visit, visit.loaded.plan.nodes[visit.node])
    people = await _people(visit) if node.of_people else ()
    values, unfit = _values(visit, node)
    subjects = [person.id for person in people] if node.of == "people" else [0]
    if node.of_people and not people:
        subjects = []
    # without a secret of ours nobody may guess the tokens of what waits for one
    secret = callbacks.secret or secrets.token_hex(32)
    tokens = {one: token_of(secret, callbacks.munchkin, _identity(visit, one)) for one in subjects}
    await sql.execute(
        visit.conn,
        "claim_calls",
        traversal_id=visit.traversal.id,
        node=visit.node,
        visit=visit.number,
        person_ids=subjects,
        about=node.of,
        service=node.service,
        token_hashes=[digest(tokens[one]) for one in subjects],
        secret=bool(callbacks.secret),
        at=visit.as_of,
    )
    rows = await sql.fetch(
        visit.conn,
        "calls_of_visit",
        traversal_id=visit.traversal.id,
        node=visit.node,
        visit=visit.number,
    )
    return CallStep(
        locked=locked,
        command=command,
        node=node,
        service=visit.loaded.plan.services[node.service],
        asked_at=min((row["claimed_at"] for row in rows), default=visit.as_of),
        journey=await _journey(visit, callbacks.munchkin),
        account=await _account(visit),
        people=people,
        values=values,
        unfit=unfit,
        requests=tuple(
            Request(
                row["id"],
                row["person_id"],
                tokens[row["person_id"]],
                _request_id(callbacks.munchkin, _identity(visit, row["person_id"])),
            )
            for row in rows
            if row["state"] == "claimed" and row["person_id"] in tokens
        ),
    )


def _identity(visit: Visit, person_id: int) -> str:
    """What tells a request from all others; the instant of entry, from those of another store."""
    traversal = visit.traversal
    return (
        f"{traversal.id}/{traversal.entered_at.isoformat()}/{visit.node}/{visit.number}/{person_id}"
    )


def _request_id(munchkin: str, identity: str) -> str:
    return hashlib.sha256(f"{munchkin}/{identity}".encode()).hexdigest()[:32]


def _values(visit: Visit, node: Call) -> tuple[dict[str, Scalar | None], str | None]:
    """What the node tells the service, its Liquid rendered with this account's data."""
    told: dict[str, Scalar | None] = {}
    for name, written in node.values.items():
        if not isinstance(written, str):
            told[name] = written
            continue
        try:
            said = worded(visit, written, "string")
        except DeliveryError as error:
            return {}, f"{name} cannot be made of this account's data: {error}"
        told[name] = said if isinstance(said, str) else None
    return told, None


async def _people(visit: Visit) -> tuple[Called, ...]:
    rows = await sql.fetch(
        visit.conn,
        "people_called",
        account_id=visit.traversal.account_id,
        traversal_id=visit.traversal.id,
        node=visit.node,
        visit=visit.number,
    )
    return tuple(
        Called(
            id=row["person_id"],
            outside_id=row["external_id"],
            attributes=row["attributes"],
            relation_id=row["relation_id"],
            roles=_roles(row["relation"]),
        )
        for row in rows
    )


def _roles(relation: dict[str, Any]) -> tuple[str, ...]:
    roles = relation.get("roles")
    return tuple(map(str, roles)) if isinstance(roles, list) else ()


async def _account(visit: Visit) -> Called:
    row = await sql.fetchrow(visit.conn, "account_called", account_id=visit.traversal.account_id)
    return Called(row["id"], row["external_id"], row["attributes"])


async def _journey(visit: Visit, munchkin: str) -> JourneyToldOf:
    row = await sql.fetchrow(visit.conn, "journey_called", journey_id=visit.traversal.journey_id)
    return JourneyToldOf(munchkin, row["slug"], row["name"], row["starts_at"], row["ends_at"])
