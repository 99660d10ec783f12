"""Names on the command line that are about buying groups: a group, a solution interest, a role, a stage."""

from typing import Annotated, Any

import typer

from caravan.buying_groups import listing
from caravan.engage import sql
from caravan.journeys.conditions.parse import nearest
from starter.errors import UserError
from starter.session import known_account

GroupArgument = Annotated[
    str,
    typer.Argument(
        help="The group: its number, or ACCOUNT/SOLUTION-INTEREST, as acc-02/grid.",
        metavar="GROUP",
    ),
]
#: the number of a group, in digits: beyond the store's there is none
MOST_DIGITS = 18


async def known_group(pool: Any, key: str) -> Any:
    """The group that was named, as listings have it.

    Raises:
        UserError: there is none; says which groups the account has, or how groups come about.
    """
    account, slash, interest = key.rpartition("/")
    number = int(key) if key.isdecimal() and key.isascii() and len(key) <= MOST_DIGITS else None
    found = await sql.fetchval(
        pool,
        "buying_group_named",
        id=number,
        account=account if slash else None,
        solution_interest=interest if slash else None,
    )
    row = await listing.group(pool, found) if found is not None else None
    if row is not None:
        return row
    if not slash:
        raise UserError(
            f"No buying group {key}: give its number or ACCOUNT/SOLUTION-INTEREST; "
            "`caravan buying-groups` lists them"
        )
    theirs = [row[0] for row in await sql.fetch(pool, "interests_of_account", account=account)]
    if theirs:
        raise UserError(
            f"The account {account} has no group of {interest}{nearest(interest, theirs)}; "
            f"it has: {', '.join(theirs)}"
        )
    await known_account(pool, account)  # whether there is one at all
    raise UserError(
        f"The account {account} has no buying groups; a job makes one for each account of its audience: "
        "`caravan buying-group jobs` lists them"
    )


async def check_solution_interest(pool: Any, slug: str | None) -> None:
    await _check(pool, "solution interest", "known_solution_interests", slug)


async def check_roles_template(pool: Any, slug: str | None) -> None:
    await _check(pool, "roles template", "known_roles_templates", slug)


async def check_role(pool: Any, role: str) -> None:
    await _check(pool, "role", "known_roles", role)


async def check_stage(pool: Any, stage: str | None) -> None:
    await _check(pool, "stage", "known_stages", stage)


async def _check(pool: Any, what: str, query: str, name: str | None) -> None:
    if name is None:
        return
    known = [row[0] for row in await sql.fetch(pool, query)]
    if name.casefold() not in {one.casefold() for one in known}:
        raise UserError(
            f"No {what} {name}{nearest(name, known)}; known: {', '.join(known)}"
            if known
            else f"No {what} {name}: there is none yet, `caravan apply DIR` stores those of a workspace"
        )
