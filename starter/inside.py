"""The options ``--inside`` and ``--map`` of what publishes, and what they came to."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from caravan.engage import life_cycle, sql, versions
from caravan.engage.journeys import Stored
from caravan.engage.plans import load_plan
from caravan.engage.versions import Inside, Policy
from starter.errors import UserError
from starter.output import Format, as_instant, plainly, show

InsideOption = Annotated[
    Inside,
    typer.Option(
        "--inside",
        help="Accounts inside: pin, they finish on their version; migrate, they go on at the node of the "
        "same name in the new one; exit, they leave at once.",
    ),
]
MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="OLD=NEW", help="A node that has a new name; may be repeated."),
]

#: who stays, in a table; JSON has all
SHOWN = 20


def node_map(written: list[str] | None) -> dict[str, str]:
    """``--map old=new`` as a node map."""
    names: dict[str, str] = {}
    for one in written or []:
        old, sign, new = (part.strip() for part in one.partition("="))
        if not (old and sign and new):
            raise UserError(f"--map {one}: write OLD=NEW, the node's name before and now")
        if names.setdefault(old, new) != new:
            raise UserError(f"--map {old} is given twice: {names[old]} and {new}")
    return names


def policy_of(inside: Inside, written: list[str] | None) -> Policy:
    """The policy that was asked for."""
    names = node_map(written)
    if names and inside is not Inside.migrate:
        raise UserError("--map says where accounts go on: give --inside migrate with it")
    return Policy(inside, names)


async def became_of_those_inside(
    pool: Any, stored: Stored, policy: Policy
) -> dict[str, Any] | None:
    """See the policy through, and tell what became of the accounts; None: nothing was said of them."""
    if policy.inside is Inside.pin or stored.change == "ended":
        return None
    if policy.inside is Inside.exit:
        left = [
            row
            async for page in life_cycle.take_out(pool, stored.slug, datetime.now(UTC))
            for row in page
        ]
        return {"policy": "exit", "accounts": len(left)}
    row = await sql.fetchrow(pool, "journey_by_id", id=stored.journey_id)
    plan = await load_plan(pool, row["plan_hash"])
    places = await versions.standing(pool, stored.slug, stored.version, plan, {})
    staying = await versions.staying(pool, places)
    finishing = sum(one.accounts for one in places if one.midway and not one.stays)
    return {
        "policy": "migrate",
        "from": row["starts_at"] if row["state"] == "scheduled" else None,
        "accounts": stored.called,
        "moving": max(stored.called - len(staying) - finishing, 0),
        "finishing": finishing,
        "staying": staying,
    }


def tell_of_those_inside(slug: str, told: dict[str, Any] | None) -> None:
    """For people: how many move, and who stays."""
    if told is None:
        return
    if told["policy"] == "exit":
        plainly(f"{slug}: {told['accounts']} accounts inside earlier versions have left")
        return
    staying = told["staying"]
    finish = f", {told['finishing']} finish their node first" if told["finishing"] else ""
    plainly(
        f"{slug}: of {told['accounts']} accounts inside earlier versions {told['moving']} move{finish}, "
        f"{len(staying)} stay on theirs"
    )
    if told["from"]:
        plainly(f"until it starts at {as_instant(told['from'])} they go on where they are")
    if staying:
        show(staying[:SHOWN], Format.table)
        if len(staying) > SHOWN:
            plainly(f"and {len(staying) - SHOWN} more: --format json lists them")
        plainly(
            f"they move too once their nodes have counterparts: `caravan journey publish {slug} "
            "--inside migrate --map OLD=NEW`"
        )
