"""``caravan journey publish|rollback|pause|resume|close|abort|delete|duplicate SLUG``: a journey's life."""

import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from temporalio.client import Client

from activities.connection import connect
from activities.stream_starts import ensure_admission, ensure_streams
from activities.terminations import terminate
from caravan.engage import halting, journeys, life_cycle, sql
from caravan.engage.journeys import Stored
from caravan.engage.life_cycle import Changed
from caravan.engage.standstill import nothing_is_leaving
from caravan.engage.versions import Inside, Policy
from caravan.journeys.reading import SLUG, SLUG_IN_WORDS
from starter.errors import UserError
from starter.halt import tell_if_halted
from starter.inside import (
    InsideOption,
    MapOption,
    became_of_those_inside,
    policy_of,
    tell_of_those_inside,
)
from starter.output import Format, FormatOption, as_json, plainly
from starter.session import Session, SubscriptionOption, known_journey, run_with
from starter.workers import tell_if_nobody_works

Slug = Annotated[str, typer.Argument(help="The journey's slug.", metavar="SLUG")]


def publish(
    slug: Slug,
    reopen: Annotated[
        bool,
        typer.Option("--reopen", help="Publish even if the journey has ended, as a new version."),
    ] = False,
    inside: InsideOption = Inside.pin,
    renamed: MapOption = None,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Publish the draft that `caravan apply --draft` stored.

    Given again with `--inside`, it says of those inside earlier versions what becomes of them now.
    """
    policy = policy_of(inside, renamed)

    async def body(session: Session) -> None:
        client = await connect(session.settings)
        pool = await session.engage()
        await known_journey(pool, slug)
        stored = await journeys.publish_stored(
            pool, slug, datetime.now(UTC), reopen=reopen, policy=policy
        )
        done = "is published already" if stored.change == "unchanged" else "is published"
        await _published(session, client, stored, policy, form, f"{slug} v{stored.version} {done}")

    run_with(subscription, body)
    tell_if_nobody_works()


def rollback(
    slug: Slug,
    to: Annotated[
        int | None,
        typer.Option(
            "--to", min=1, help="The version to publish again; the one before if not given."
        ),
    ] = None,
    inside: InsideOption = Inside.pin,
    renamed: MapOption = None,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Publish an earlier version again, as the next version.

    Given twice without `--to` it goes back twice. Copy that was changed in a running version is not part
    of it.
    """
    policy = policy_of(inside, renamed)

    async def body(session: Session) -> None:
        client = await connect(session.settings)
        pool = await session.engage()
        await known_journey(pool, slug)
        stored, repeated = await journeys.rollback(
            pool, slug, datetime.now(UTC), to=to, policy=policy
        )
        said = f"{slug} v{stored.version} is published: it says what v{repeated} said"
        if stored.change == "unchanged":
            said = f"{slug} v{stored.version} says already what v{repeated} said"
        await _published(session, client, stored, policy, form, said, {"repeats": repeated})

    run_with(subscription, body)


async def _published(
    session: Session,
    client: Client,
    stored: journeys.Stored,
    policy: Policy,
    form: Format,
    said: str,
    more: dict[str, Any] | None = None,
) -> None:
    """What every publish does behind its transaction: see that what must run runs, and tell."""
    pool = await session.engage()
    await ensure_streams(client, [session.munchkin])
    for journey in await sql.fetch(pool, "running_journeys"):
        await ensure_admission(client, session.munchkin, journey)
    inside = await became_of_those_inside(pool, stored, policy)
    _tell(form, said, _stored(stored) | (more or {}) | ({"inside": inside} if inside else {}))
    if form is Format.table:
        tell_of_those_inside(stored.slug, inside)
    tell_if_halted(await halting.halted(pool), session.munchkin)


def pause(
    slug: Slug, form: FormatOption = Format.table, subscription: SubscriptionOption = None
) -> None:
    """Let nobody enter and nothing begin; waits and listens go on, then the accounts are held.

    The end date applies all the same.
    """
    _change(
        slug,
        form,
        subscription,
        lambda pool: life_cycle.pause(pool, slug, datetime.now(UTC)),
        "is paused; `caravan journey resume` lets it go on",
        "was paused already",
    )


def resume(
    slug: Slug, form: FormatOption = Format.table, subscription: SubscriptionOption = None
) -> None:
    """Let a paused journey go on: those held first, in order of their arrival."""
    _change(
        slug,
        form,
        subscription,
        lambda pool: life_cycle.resume(pool, slug, datetime.now(UTC)),
        "goes on",
        "was not paused",
    )


def close(
    slug: Slug, form: FormatOption = Format.table, subscription: SubscriptionOption = None
) -> None:
    """Let nobody enter any more; those inside travel on. It never opens again."""
    _change(
        slug,
        form,
        subscription,
        lambda pool: life_cycle.close(pool, slug),
        "takes no more entries",
        "was closed already",
    )


def abort(
    slug: Slug,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Stop a journey for good: everybody inside leaves at once, and mail not yet sent is not sent."""

    async def body(session: Session) -> None:
        pool = await session.engage()
        inside = sum(row["inside"] for row in await known_journey(pool, slug))
        if not yes and not _sure(f"Abort {slug} with {inside} accounts inside, for good?"):
            raise UserError(f"{slug} goes on; give --yes to abort it without being asked")
        client = await connect(session.settings)
        changed = await life_cycle.abort(pool, slug)
        taken_out = [
            row["workflow_id"]
            async for page in life_cycle.take_out(pool, slug, datetime.now(UTC))
            for row in page
        ]
        await nothing_is_leaving(pool, slug)
        await terminate(client, taken_out, "the journey was aborted")
        done = "is aborted" if changed.versions else "was aborted already"
        _tell(
            form,
            f"{slug} {done}, {len(taken_out)} accounts have left",
            {"journey": slug, "versions": changed.versions, "accounts": len(taken_out)},
        )

    run_with(subscription, body)


def delete(
    slug: Slug, form: FormatOption = Format.table, subscription: SubscriptionOption = None
) -> None:
    """Delete a draft, or a journey that has finished or was aborted; what it sent stays told."""
    _change(
        slug,
        form,
        subscription,
        lambda pool: life_cycle.delete(pool, slug, datetime.now(UTC)),
        "is deleted",
        "was deleted already",
    )


def duplicate(
    slug: Slug,
    copy: Annotated[
        str | None, typer.Option("--as", help="Slug of the copy; SLUG-copy if not given.")
    ] = None,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Store a copy of a journey, of its latest version, as a draft under another slug."""

    async def body(session: Session) -> None:
        pool = await session.engage()
        await known_journey(pool, slug)
        to = copy or f"{slug}-copy"
        if not SLUG.fullmatch(to):
            raise UserError(f"{to!r} is not a slug: {SLUG_IN_WORDS}")
        if await sql.fetch(pool, "journeys", slug=to):
            raise UserError(f"There is a journey {to} already; choose another slug with --as")
        stored = await journeys.duplicate(pool, slug, to)
        _tell(form, f"{to} v{stored.version} is a draft", _stored(stored))

    run_with(subscription, body)


def _stored(stored: Stored) -> dict[str, Any]:
    return {"journey": stored.slug, "version": stored.version, "change": stored.change}


def _sure(question: str) -> bool:
    """Ask whoever sits there; where nobody does, the answer is no."""
    return sys.stdin.isatty() and typer.confirm(question)


def _change(
    slug: str,
    form: Format,
    subscription: str | None,
    command: Callable[[Any], Awaitable[Changed]],
    done: str,
    was_so: str,
) -> None:
    async def body(session: Session) -> None:
        pool = await session.engage()
        await known_journey(pool, slug)
        changed = await command(pool)
        versions = ", ".join(f"v{version}" for version in changed.versions)
        said = f"{slug} ({versions}) {done}" if versions else f"{slug} {was_so}"
        if not changed.over:
            said += "; something that began before is still under way, give it again to be sure"
        _tell(form, said, {"journey": slug, "versions": changed.versions})

    run_with(subscription, body)


def _tell(form: Format, said: str, row: dict[str, Any]) -> None:
    if form is Format.json:
        print(as_json(row))
    else:
        plainly(said)
