"""``caravan consent set PERSON --channel email|sms --yes|--no``: what a person has said, with where we have it from."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from caravan.campaigns import consents
from caravan.campaigns.plans import PlanCache
from starter.errors import UserError
from starter.output import plainly
from starter.session import Session, SubscriptionOption, known_person, run_with

app = typer.Typer(no_args_is_help=True, help="What people have said about being written to.")


@app.callback()
def _group() -> None:
    """What people have said about being written to."""


class Channel(StrEnum):
    """The channel by which people are written to."""

    email = "email"
    sms = "sms"


@app.command("set")
def set_consent(
    person: Annotated[str, typer.Argument(help="The person's id or e-mail address.")],
    channel: Annotated[Channel, typer.Option("--channel", help="The channel: email or sms.")],
    yes: Annotated[bool, typer.Option("--yes/--no", help="What they have said.")],
    source: Annotated[
        str, typer.Option("--source", help="From whom or what you have it, for the record.")
    ],
    subscription: SubscriptionOption = None,
) -> None:
    """Note what a person said about being written to; it counts from the next message on.

    Who has said nothing is mailed and gets no text messages. A yes to mail also takes back that they have
    unsubscribed. `caravan person show` tells all that was said.

    `caravan consent set ada@acme.example --channel email --no --source "phone call, 3 May"`
    """
    if not source.strip():
        raise UserError("--source says from whom or what you have it: it cannot be empty")

    async def body(session: Session) -> None:
        pool = await session.engage()
        found = await known_person(
            pool,
            person,
            remark="for one who has not come in, import people.csv with email_consent or sms_consent",
        )
        async with pool.acquire() as conn, conn.transaction():
            changed = await consents.set_fields(
                conn,
                PlanCache(),
                [found["id"]],
                consents.answered(channel, yes),
                source=source.strip(),
                at=datetime.now(UTC),
            )
        fields = changed.get(found["id"], [])
        told = f"{found['external_id']}: {channel} {'yes' if yes else 'no'}"
        plainly(f"{told} ({', '.join(fields)})" if fields else f"{told}: it was so already")

    run_with(subscription, body)
