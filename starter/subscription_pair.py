"""``caravan subscription pair`` and ``unpair``: a sandbox and a subscription that belong to each other."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from activities.connection import connect
from activities.stream_starts import ensure_streams, stop_streams
from activities.upkeep_schedule import forget_upkeep
from caravan.database.erasures import ErasureKey
from caravan.engage import subscriptions as engage_subscriptions
from caravan.pairing import LET_GO, Databases, Paired
from caravan.pairing import pair as pair_both
from caravan.pairing import unpair as take_apart
from caravan.platform import sandboxes
from caravan.settings import Settings
from starter.errors import Interrupted, UserError
from starter.output import Format, FormatOption, as_json, plainly, say
from starter.progress import bar, count
from starter.session import run
from starter.subscription import MunchkinArgument, check_name


def pair(
    sandbox: Annotated[
        str, typer.Argument(metavar="SANDBOX", help="The sandbox; created if it is not there.")
    ],
    subscription: Annotated[
        str | None,
        typer.Option(
            "--subscription",
            help="The subscription (munchkin); if none is named an empty one is created, named after the sandbox.",
        ),
    ] = None,
    form: FormatOption = Format.table,
) -> None:
    """Pair a sandbox with a subscription: one of each, and nobody else's.

    What an existing subscription holds (accounts, people, relations, opportunities; never buying groups) is
    loaded up into the sandbox first. Records that both have are merged by field, the later word counts.
    Interrupted, give it again: it goes on where it was.
    """
    check_name(sandboxes.schema_of_sandbox, sandbox)
    if subscription is not None:
        check_name(engage_subscriptions.schema_of, subscription)

    async def body() -> Paired:
        settings = Settings.load()
        client = await connect(settings)
        databases = Databases(settings.platform_dsn, settings.engage_dsn)
        munchkin = subscription or await _new_subscription(databases, sandbox)
        key = ErasureKey(settings.erasure_key) if settings.erasure_key else None
        with bar() as progress:
            paired = await pair_both(
                databases, sandbox, munchkin, datetime.now(UTC), key=key, told=count(progress)
            )
        await ensure_streams(client, [munchkin])
        return paired

    try:
        done = run(body())
    except KeyboardInterrupt:
        raise Interrupted("interrupted; half paired, give it again to go on") from None
    _tell(done, form)


def unpair(
    munchkin: MunchkinArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    abandoned: Annotated[
        bool,
        typer.Option(
            "--abandoned",
            help="It is bound to a pair that this Platform database does not know (it was restored, say).",
        ),
    ] = False,
    form: FormatOption = Format.table,
) -> None:
    """Take a pair apart. Both keep all they hold, and either may be paired anew.

    Refused while journeys run, accounts are inside, or messages wait. What happened in the subscription goes
    up into the sandbox first.
    """
    check_name(engage_subscriptions.schema_of, munchkin)

    async def body() -> str | None:
        settings = Settings.load()
        databases = Databases(settings.platform_dsn, settings.engage_dsn)
        known = {
            row["munchkin"]: row["sandbox"]
            for row in await sandboxes.pairings(settings.platform_dsn, unfinished=True)
        }
        if munchkin not in known and not abandoned:
            raise UserError(await _unknown(databases, munchkin, sorted(known)))
        if munchkin in known and abandoned:
            raise UserError(
                f"{munchkin} is paired with {known[munchkin]} here: leave --abandoned out"
            )
        whom = f"sandbox {known[munchkin]}" if munchkin in known else "a pair nobody knows here"
        if not yes and not await asyncio.to_thread(
            typer.confirm, f"Take {munchkin} and {whom} apart?", err=True
        ):
            raise UserError("nothing was changed; give --yes to do it without being asked")
        if abandoned:
            await engage_subscriptions.unbind(settings.engage_dsn, munchkin)
            return None
        client = await connect(settings)

        async def stop() -> None:
            await forget_upkeep(client, munchkin)
            await stop_streams(client, munchkin)

        if form is Format.table:
            say(f"if nothing runs there, workers are given {LET_GO:.0f} s to let go")
        return await take_apart(databases, munchkin, datetime.now(UTC), stop=stop)

    try:
        sandbox = run(body())
    except KeyboardInterrupt:
        raise Interrupted("interrupted; half paired, give it again to go on") from None
    if form is Format.json:
        print(as_json({"subscription": munchkin, "sandbox": sandbox}))
    else:
        plainly(
            f"{munchkin} is unpaired{f' from {sandbox}' if sandbox else ''}; both keep what they hold"
        )


async def _new_subscription(databases: Databases, sandbox: str) -> str:
    """The subscription that a sandbox has already, or an empty one named after it."""
    for row in await sandboxes.pairings(databases.platform_dsn, unfinished=True):
        if row["sandbox"] == sandbox:
            return str(row["munchkin"])
    owner = await engage_subscriptions.owner(databases.engage_dsn, sandbox)
    if owner is not None and (owner["sandbox"] is not None or owner["has_records"]):
        raise UserError(
            f"There is a subscription {owner['munchkin']} already, and it is not empty: name it, or another, "
            "with --subscription"
        )
    return sandbox


async def _unknown(databases: Databases, munchkin: str, known: list[str]) -> str:
    owner = await engage_subscriptions.owner(databases.engage_dsn, munchkin)
    if owner is None:
        return f"No subscription {munchkin}; paired: {', '.join(known) or 'none'}"
    if owner["sandbox"] is None:
        return f"{munchkin} is unpaired already"
    return (
        f"{munchkin} is bound to a sandbox {owner['sandbox']} that this Platform database (setting "
        "PLATFORM_DSN) has no such pair of. If no other has it either, give --abandoned"
    )


def _tell(done: Paired, form: Format) -> None:
    loaded = done.loaded
    if form is Format.json:
        print(
            as_json(
                {
                    "subscription": done.munchkin,
                    "sandbox": done.sandbox,
                    "new": done.new,
                    "loaded": loaded.rows,
                    "matched": loaded.matched,
                    "renumbered": loaded.renumbered,
                    "erased": sorted(loaded.to_erase.values()),
                }
            )
        )
    else:
        said = f"{done.munchkin} is paired with {done.sandbox}"
        if not done.new:
            said += " already"
        elif any(loaded.rows.values()):
            counts = ", ".join(f"{count} {table}" for table, count in loaded.rows.items())
            said += f"; loaded up: {counts}, of which the sandbox had {loaded.matched}"
        plainly(said)
    for person in sorted(loaded.to_erase.values()):
        say(
            f"{person} had been erased from one of the two, by this id or their address, and now is from the other too; "
            f"`caravan person erase {person} --subscription {done.munchkin}` looks through captured mail"
        )
