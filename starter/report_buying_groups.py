"""``caravan report buying-groups``: are groups ready, do they move, and whom do they lack."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from caravan.buying_groups.report import BANDS, Report, report
from starter.errors import UserError
from starter.group_names import check_solution_interest
from starter.group_rows import for_people, velocity
from starter.output import Format, FormatOption, as_json, cell, console, plural, show
from starter.session import Session, SubscriptionOption, run_with
from starter.spans import span
from starter.validate import instant

#: of the period, unless told otherwise
PERIOD = timedelta(days=30)


def report_buying_groups(
    start: Annotated[
        str | None,
        typer.Option(
            "--from", help="The period's start: 2026-03-01 or an instant. 30 days before its end."
        ),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="The period's end. Now.")] = None,
    solution_interest: Annotated[
        str | None, typer.Option("--solution-interest", help="Groups of this one alone.")
    ] = None,
    top: Annotated[
        int, typer.Option("--top", min=1, max=1000, help="How many groups the rankings have.")
    ] = 5,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Report how complete and engaged groups are, where they stand, who moves, and whom they lack.

    Bands have their lower end and not their upper one: a score of exactly 25 is in 25-50; the last has 100
    too. Stages are told at both ends of the period. Fastest: most moves from stage to stage in the period,
    those into a failure stage left out; then the least time for each. Stagnant: longest in a stage that is
    no end, as of the period's end. Coverage: of the people that required roles need, how many are there.
    Scores, coverage and overlap are those of now: only stages have a history.
    """
    until = instant(end)
    since = instant(start) if start is not None else until - PERIOD
    if since >= until:
        raise UserError(f"The period ends ({cell(until)}) before it starts ({cell(since)})")

    async def body(session: Session) -> None:
        pool = await session.engage()
        await check_solution_interest(pool, solution_interest)
        async with pool.acquire() as conn:
            told = _told(await report(conn, since, until, solution_interest, top))
        if form is Format.json:
            print(as_json(told))
        else:
            _print(told)

    run_with(subscription, body)


def _told(made: Report) -> dict[str, Any]:
    return {
        "from": made.start,
        "to": made.end,
        "as_of": datetime.now(UTC),
        "bands": [
            {
                "band": BANDS[row["band"]],
                "completeness": row["completeness"],
                "engagement": row["engagement"],
            }
            for row in made.bands
        ],
        "stages": [dict(row) for row in made.stages],
        "highest": [_named(row, "completeness", "engagement") for row in made.highest],
        "fastest": [_named(row) | velocity(row) for row in made.fastest],
        "stagnant": [
            _named(row, "completeness", "engagement", "since")
            | {"seconds": (made.end - row["since"]).total_seconds()}
            for row in made.stagnant
        ],
        "coverage": [dict(row) for row in made.coverage],
        "overlap": {
            "people": made.overlapping,
            "most": [
                {
                    "person": row["person"],
                    "job_title": row["attributes"].get("job_title"),
                    "groups": row["groups"],
                    "in": list(row["named"]),
                }
                for row in made.overlap
            ],
        },
    }


def _named(row: Any, *more: str) -> dict[str, Any]:
    return {
        "group": row["id"],
        "account": row["account"],
        "account_name": row["name"],
        "solution_interest": row["solution_interest"],
        "stage": row["stage"],
    } | {name: row[name] for name in more}


def _print(told: dict[str, Any]) -> None:
    if not any(band["completeness"] for band in told["bands"]):
        console.print(
            "no buying groups; `caravan buying-group jobs` lists what makes them", markup=False
        )
        return
    show(told["bands"], Format.table, title="Groups by score")
    console.print()
    console.print(
        f"[bold]Groups by stage[/bold], {cell(told['from'])} and {cell(told['to'])}",
        highlight=False,
    )
    stages = [row | {"stage": row["stage"] or "(none yet)"} for row in told["stages"]]
    show(stages, Format.table)
    console.print()
    columns = ("group", "account_name", "stage", "completeness", "engagement")
    show(_ranked(told["highest"]), Format.table, title="Highest engagement", columns=columns)
    console.print()
    fastest = [
        row | {"each": span(timedelta(seconds=row["seconds_per_move"]))}
        for row in _ranked(told["fastest"])
    ]
    columns = ("group", "account_name", "stage", "moves", "each")
    empty = "no group has moved in the period"
    show(fastest, Format.table, title="Fastest", columns=columns, empty=empty)
    console.print()
    stagnant = [
        row | {"for": span(timedelta(seconds=row["seconds"]))} for row in _ranked(told["stagnant"])
    ]
    columns = ("group", "account_name", "stage", "for", "completeness")
    show(stagnant, Format.table, title="Stagnant", columns=columns, empty="none")
    console.print()
    show([_covered(row) for row in told["coverage"]], Format.table, title="Coverage of roles")
    console.print()
    overlap = told["overlap"]
    people = plural(overlap["people"], "person").replace("persons", "people")
    title = f"In several groups: {people}"
    show(overlap["most"], Format.table, title=title, empty="nobody")


def _ranked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [for_people(row) for row in rows]


def _covered(row: dict[str, Any]) -> dict[str, Any]:
    of = f"{row['filled']} of {row['needed']}" if row["needed"] else "not required"
    return {
        "solution_interest": row["solution_interest"],
        "role": row["role"],
        "filled": of,
        "people": row["people"],
        "groups_with_none": f"{row['groups_with_none']} of {row['groups']}",
    }
