"""``caravan halt`` and ``caravan resume-all``: nothing leaves any more, and all goes on again."""

import asyncio
import getpass
import os
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from caravan.engage import halting
from caravan.platform.sandboxes import pairings
from starter.output import Format, FormatOption, as_json, plainly, say
from starter.session import Session, SubscriptionOption, open_session, open_stores, run

AllOption = Annotated[bool, typer.Option("--all", help="Every subscription there is.")]


def halt(
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why, for whoever looks at `caravan status`.")
    ] = None,
    everywhere: AllOption = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Stop all sending at once: no mail, no call, no text message leaves from when this returns.

    Accounts enter and travel on, and stand still where something would leave. A message that the relay has
    already is noted. `caravan resume-all` lets all go on; nothing is lost, and nothing is sent twice.
    """

    async def stop(session: Session) -> dict[str, Any]:
        done = await halting.halt(await session.engage(), datetime.now(UTC), operator(), reason)
        said = done.halt.in_words if done.changed else f"was halted already: {done.halt.in_words}"
        said = f"{session.munchkin}: {said}"
        if not done.over:
            said += "; something that began before is still under way, give it again to be sure"
        return {
            "subscription": session.munchkin,
            "halted_at": done.halt.at,
            "halted_by": done.halt.by,
            "halt_reason": done.halt.reason,
            "changed": done.changed,
            "told": said,
        }

    _each(stop, subscription, everywhere, form)


def resume_all(
    everywhere: AllOption = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Let everything leave again after `caravan halt`, and say how many accounts go on.

    Journeys that were paused on their own stay paused: `caravan journey resume SLUG`.
    """

    async def go_on(session: Session) -> dict[str, Any]:
        done = await halting.resume_all(await session.engage())
        accounts = f"{done.woken} account{'' if done.woken == 1 else 's'}"
        said = f"goes on, {accounts} with it" if done.halt else "was not halted"
        return {
            "subscription": session.munchkin,
            "changed": done.halt is not None,
            "accounts": done.woken,
            "told": f"{session.munchkin}: {said}",
        }

    _each(go_on, subscription, everywhere, form)


def tell_if_halted(halt: halting.Halt | None, munchkin: str) -> None:
    """After publishing: a line on stderr where nothing would leave."""
    if halt is not None:
        say(
            f"{munchkin} is {halt.in_words}: accounts travel and nothing is sent until "
            "`caravan resume-all`"
        )


def operator() -> str:
    """Who gives the command, as this machine knows them."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user has no name
        name = f"user {os.getuid()}"
    return f"{name}@{socket.gethostname()}"


def _each(
    command: Callable[[Session], Awaitable[dict[str, Any]]],
    subscription: str | None,
    everywhere: bool,
    form: Format,
) -> None:
    """Give a command to one subscription, or to all of them at the same time."""

    async def body() -> list[dict[str, Any]]:
        if not everywhere:
            async with open_session(subscription) as session:
                return [await command(session)]
        async with open_stores() as (settings, stores):
            pairs = await pairings(settings.platform_dsn)
            sessions = [Session(settings, stores, pair["munchkin"]) for pair in pairs]
            return await asyncio.gather(*(command(session) for session in sessions))

    rows = run(body())
    if form is Format.json:
        print(as_json([{key: row[key] for key in row if key != "told"} for row in rows]))
        return
    for row in rows:
        plainly(row["told"])
    if not rows:
        plainly("there is no subscription yet")
