"""``caravan audience show SLUG``: what it asks, how many are in it, who came and went, and what uses it."""

from io import StringIO
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML

from caravan.campaigns.audience_listing import Detail, detail
from caravan.journeys.conditions.scope import nearest
from caravan.journeys.retold import retold
from caravan.platform import audiences
from starter.audiences import listed_row
from starter.errors import UserError
from starter.output import MOST, Format, FormatOption, as_json, cell, console, plainly, show
from starter.session import Session, SubscriptionOption, run_with

app = typer.Typer(
    no_args_is_help=True,
    help="An audience in detail, and what one would have that is not applied yet.",
)


@app.callback()
def _group() -> None:
    """An audience in detail, and what one would have that is not applied yet."""


@app.command("show")
def show_audience(
    slug: Annotated[str, typer.Argument(help="The audience's slug.", metavar="SLUG")],
    limit: Annotated[
        int,
        typer.Option(
            "--limit",
            min=1,
            max=MOST,
            help="How many of the latest joins and leaves, and of the next flips, to show.",
        ),
    ] = 10,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Show an audience: its condition, how many are in it, who came and went, what uses it.

    Leaving an audience is told here and takes nobody out of a journey. Flips are the instants at which
    the passing of time alone may change who is in it; they are looked at when they are due.
    """

    async def body(session: Session) -> None:
        platform = await session.platform()
        told = await detail(await session.engage(), platform, slug, limit)
        if told is None:
            raise unknown(slug, set(await audiences.stored(platform)))
        row = _row(told)
        if form is Format.json:
            print(as_json(row))
        else:
            _print(row)

    run_with(subscription, body)


def unknown(slug: str, known: set[str]) -> UserError:
    """What to say where there is no such audience."""
    return UserError(f"No audience {slug}{nearest(slug, known)}; `caravan audiences` lists them")


def _row(told: Detail) -> dict[str, Any]:
    whom = "account" if told.listed.of == "accounts" else "person"
    return listed_row(told.listed) | {
        "zone": told.zone,
        "when": retold(told.condition),
        "flips_waiting": told.flips_waiting,
        "flips": [{whom: one, "at": at} for one, at in told.flips],
        "joined": [{whom: one.id, "qualified_at": one.qualified_at} for one in told.joined],
        "left": [
            {whom: one.id, "qualified_at": one.qualified_at, "left_at": one.left_at}
            for one in told.left
        ],
    }


def _print(row: dict[str, Any]) -> None:
    evaluated = f"evaluated for all {cell(row['evaluated_at'])}, " if row["evaluated_at"] else ""
    console.print(
        f"[bold]{cell(row['audience'])}[/bold] of {row['of']} · {row['members']} members · "
        f"{evaluated}{row['freshness']}",
        highlight=False,
    )
    plainly(f"used by {', '.join(row['used_by']) or 'nothing'}")
    plainly(f"days are those of {row['zone']}; when:")
    for line in as_yaml(row["when"]).splitlines():
        plainly(f"  {line}")
    console.print()
    for title, name, empty in (
        ("Next flips", "flips", "none: time alone changes nothing that is known"),
        ("Joined last", "joined", "nobody yet"),
        ("Left last", "left", "nobody yet"),
    ):
        show(row[name], Format.table, title=title, empty=empty)
        console.print()
    if row["flips_waiting"] > len(row["flips"]):
        plainly(f"{row['flips_waiting']} flips in all; --limit shows more")


def as_yaml(value: Any) -> str:
    """As documents write it."""
    out = StringIO()
    writer = YAML()
    writer.width = 100
    writer.default_flow_style = None
    writer.dump(value, out)
    return out.getvalue()
