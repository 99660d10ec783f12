"""What becomes of those inside when the next version of their journey is published.

``pin``: they finish on their version. ``migrate``: their version leads to the new one, and whoever locks a
traversal moves it (``caravan.campaigns.moving``). ``exit``: they are taken out, as from an aborted journey.
The rows of the earlier versions say so from the moment the new one is published, so there is nothing to
take up again where a command dies, but for the taking out, which the reconciler finishes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from caravan.engage import sql, wakeups
from caravan.engage.plans import load_plan
from caravan.journeys.control import ControlPlan
from caravan.journeys.life_cycle import Refused
from caravan.journeys.moving import (
    Renamed,
    composed,
    kinds_of,
    why_it_may_stay_behind,
    why_it_stays,
)
from caravan.journeys.plan import Plan, control_plan


class Inside(StrEnum):
    """The policy of a publish."""

    pin = "pin"
    migrate = "migrate"
    exit = "exit"


@dataclass(frozen=True)
class Policy:
    """What a publish says of those inside; ``renamed``: earlier names of nodes, and what they are called now."""

    inside: Inside = Inside.pin
    renamed: Renamed = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """So many accounts at one node of an earlier version, and what becomes of them."""

    version: int
    journey_id: int
    node: str | None  # None: they have not begun
    name: str  # of that node in the other version, by what was said before and is said now
    accounts: int
    midway: bool  # they finish the node first
    stays: str | None  # why they stay there, or where they may come to behind it


PIN = Policy()


async def decide(conn: Any, policy: Policy, journey_id: int, version: int, plan: Plan) -> int:
    """Say of the earlier versions that run what becomes of those inside, in the publish's transaction.

    Returns:
        How many are told to move.

    Raises:
        Refused: the node map names a node that is not there.
    """
    earlier = await sql.fetch(conn, "earlier_versions", slug=plan.journey, version=version)
    if policy.inside is Inside.exit:
        await sql.execute(conn, "empty_versions", journey_ids=[row["id"] for row in earlier])
    if policy.inside is not Inside.migrate:
        return 0
    await _check_names(conn, policy.renamed, earlier, plan)
    for row in earlier:
        renamed = names_from(row, policy.renamed, plan, again=row["leads_to_version"] == version)
        await sql.execute(conn, "lead_to", journey_id=row["id"], to_id=journey_id, renamed=renamed)
    called = await sql.fetchval(
        conn, "call_to_move", journey_ids=[row["id"] for row in earlier], to_id=journey_id
    )
    await wakeups.nudge(conn)
    return int(called)


async def standing(
    conn: Any, slug: str, version: int, plan: Plan, renamed: Renamed
) -> list[Standing]:
    """Where the accounts inside versions before ``version`` stand, and whether they can move to its plan.

    Raises:
        Refused: the node map names what neither version has.
    """
    there = control_plan(plan)
    found = []
    earlier = {
        row["id"]: row
        for row in await sql.fetch(conn, "earlier_versions", slug=slug, version=version)
    }
    await _check_names(conn, renamed, list(earlier.values()), plan)
    plans = {id: control_plan(await _plan(conn, row)) for id, row in earlier.items()}
    for row in await sql.fetch(conn, "standing", journey_ids=list(earlier)):
        version_row, here = earlier[row["journey_id"]], plans[row["journey_id"]]
        again = version_row["leads_to_version"] == version
        names = names_from(version_row, renamed, plan, again=again)
        node = row["node"]
        midway = node is not None and (row["midway"] or _answers_first(here, node))
        stays = None
        if midway:
            stays = why_it_may_stay_behind(here, there, node, names)
        elif node is not None:
            stays = why_it_stays(kinds_of(here), kinds_of(there), node, names)
        found.append(
            Standing(
                version=version_row["version"],
                journey_id=row["journey_id"],
                node=node,
                name=plan.start if node is None else names.get(node, node),
                accounts=row["accounts"],
                midway=midway,
                stays=stays,
            )
        )
    return sorted(found, key=lambda one: (one.version, one.node or "", one.midway))


def names_from(row: Any, renamed: Renamed, plan: Plan, *, again: bool = False) -> dict[str, str]:
    """The node map from an earlier version to a plan, by what was said before and what is said now.

    Who has not yet moved by what was said before goes on from the name it would have had; where that is gone
    again, from its own. Said ``again`` of the version it leads to already, the later word on a node counts:
    one behind the other, a map that swaps two nodes would undo itself.
    """
    before: Mapping[str, str] = row["renamed"] if row["leads_to"] is not None else {}
    names = {**before, **renamed} if again else composed(before, renamed)
    return {
        node: name for node, name in names.items() if name in plan.nodes or node not in plan.nodes
    }


def _answers_first(plan: ControlPlan, node: str) -> bool:
    """Who stands where something is asked has asked already, or is about to: it takes the answer first."""
    return plan.nodes[node].kind in ("call", "decide_accounts")


async def staying(conn: Any, places: list[Standing]) -> list[dict[str, Any]]:
    """The accounts at places where they stay, by the ids their team knows."""
    told = []
    for journey_id in dict.fromkeys(one.journey_id for one in places if one.stays):
        here = [one for one in places if one.journey_id == journey_id]
        at_rest = {one.node: one for one in here if not one.midway}
        midway = {one.node: one for one in here if one.midway}
        nodes = list({one.node for one in here if one.stays})
        for row in await sql.fetch(conn, "standing_at", journey_id=journey_id, nodes=nodes):
            node = row["node"]
            place = midway.get(node) if row["midway"] or node not in at_rest else at_rest[node]
            if place is not None and place.stays:  # else it has gone on meanwhile
                told.append(
                    {
                        "account": row["account"],
                        "version": place.version,
                        "node": node,
                        "why": place.stays,
                    }
                )
    return told


async def _check_names(conn: Any, renamed: Renamed, earlier: list[Any], plan: Plan) -> None:
    known = {
        name
        for row in earlier
        for name in [*(await _plan(conn, row)).nodes, *(row["renamed"] or {}).values()]
    }
    for node, name in dict(renamed).items():
        if name not in plan.nodes:
            raise Refused(f"--map {node}={name}: the new version has no node {name}")
        if known and node not in known:
            raise Refused(f"--map {node}={name}: no earlier version that runs has a node {node}")


async def _plan(conn: Any, row: Any) -> Plan:
    return await load_plan(conn, row["plan_hash"])
