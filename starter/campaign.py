"""``caravan campaign request SLUG`` and ``caravan campaign list``: campaigns that anyone may request."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import typer

from caravan.engage import campaigns as engage_campaigns
from caravan.engage import sql
from caravan.journeys.conditions.parse import nearest
from starter.campaigns import campaigns
from starter.errors import UserError
from starter.output import Format, FormatOption, as_json, plainly, plural
from starter.session import Session, SubscriptionOption, known_account, known_person, run_with

app = typer.Typer(no_args_is_help=True, help="Campaigns: request one for people, or list them.")


@app.callback()
def _group() -> None:
    """Campaigns: request one for people, or list them."""


app.command("list")(campaigns)


@app.command("request")
def request_campaign(
    slug: Annotated[str, typer.Argument(help="The campaign's slug.")],
    person: Annotated[
        list[str] | None,
        typer.Option(
            "--person", help="A person's id or e-mail address; may be given several times."
        ),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option("--account", help="The account they act for; alone: for all its people."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", help="Names this request: asked for again, it is not made again."),
    ] = None,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Request a campaign for people. It starts within seconds; `caravan person show` tells what came of it."""

    async def body(session: Session) -> None:
        pool = await session.engage()
        campaign = await _campaign(pool, slug)
        people = [(await known_person(pool, one))["id"] for one in person or []]
        account_id = await _account(pool, account, people)
        if not people:
            people = [
                row["id"]
                for row in await sql.fetch(pool, "people_of_account", account_id=account_id)
            ]
            if not people:
                raise UserError(f"The account {account} has no people in the engage store")
        async with pool.acquire() as conn, conn.transaction():
            made = await engage_campaigns.request(
                conn,
                campaign,
                account_id,
                people,
                f"asked/{key or uuid4()}",
                datetime.now(UTC),
            )
        if form is Format.json:
            print(
                as_json(
                    {"campaign": slug, "request": made.id, "new": made.new, "people": len(people)}
                )
            )
        elif made.new:
            count = plural(len(people), "person").replace("persons", "people")
            plainly(f"{slug} is requested for {count} (request {made.id})")
        else:
            plainly(
                f"{slug} was requested by the key {key} before (request {made.id}); nothing was done"
            )

    run_with(subscription, body)


async def _campaign(pool: Any, slug: str) -> Any:
    campaign = await sql.fetchrow(pool, "requestable_campaign", name=slug)
    if campaign is not None:
        return campaign
    owner = await sql.fetchval(pool, "owner_of_campaign", name=slug)
    if owner is not None:
        raise UserError(f"{slug} is the journey {owner}'s own campaign: nobody else can request it")
    known = [row["name"] for row in await sql.fetch(pool, "ordinary_campaigns")]
    raise UserError(f"No campaign {slug}{nearest(slug, known)}; `caravan campaign list` lists them")


async def _account(pool: Any, account: str | None, people: list[int]) -> int:
    """The account that was named, or the only one that the people have in common."""
    if account is not None:
        named = {int((await known_account(pool, account))["id"]): account}
    elif people:
        named = {}
    else:
        raise UserError("For whom? Give --person, or --account for all its people")
    shared = dict(named)
    for person in people:
        rows = await sql.fetch(pool, "accounts_of_person", person_id=person)
        theirs = {row["id"]: row["external_id"] for row in rows}
        shared = {one: name for one, name in (shared or theirs).items() if one in theirs}
        if not shared:
            raise UserError(
                "The people have no account in common; request it for each account apart"
            )
    if len(shared) > 1:
        names = ", ".join(sorted(shared.values()))
        raise UserError(
            f"The person belongs to several accounts ({names}); choose one with --account"
        )
    return next(iter(shared))
