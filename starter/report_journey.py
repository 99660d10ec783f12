"""``caravan report journey SLUG``: who entered, how they left, and which variant did better."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from caravan.reports.journey import JourneyReport, VariantNode, journey
from caravan.reports.page import page
from caravan.reports.wording import interval_in_words, rate, verdict_in_words, with_rate
from starter.output import Format, as_json, cell, console, show
from starter.report_emails import table_of, told
from starter.session import Session, SubscriptionOption, known_journey, plan_of, run_with
from starter.spans import span


class JourneyFormat(StrEnum):
    """How to print a report of a journey."""

    table = "table"
    json = "json"
    html = "html"


def report_journey(
    slug: Annotated[str, typer.Argument(help="The journey's slug.")],
    success: Annotated[
        str | None,
        typer.Option(
            "--success",
            help="What a variant's success is: goal, completed, engaged, or an outcome's label. "
            "goal where the journey has goals, else engaged.",
        ),
    ] = None,
    form: Annotated[
        JourneyFormat, typer.Option("--format", help="table, json, or html for a page with charts.")
    ] = JourneyFormat.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Report a journey, all its versions together: entries, completion, outcomes, variants, e-mails.

    Completed are those that reached an end or left by a goal; the rate is of all that entered. Duration is
    from entry to completion. Variants: of each path how many succeeded, the interval that the rate is in
    with 95 % confidence, and whether the paths differ by more than chance (Fisher's exact test for two,
    chi-square for more; below 5 % it says so). Look once, when enough have gone through: who looks daily and
    stops at the first difference finds differences that are none.
    """

    async def body(session: Session) -> None:
        pool = await session.engage()
        versions = await known_journey(pool, slug)
        plan = await plan_of(pool, versions[-1])
        async with pool.acquire() as conn:
            made = await journey(conn, slug, [row["id"] for row in versions], plan, success)
        if form is JourneyFormat.json:
            print(as_json(_told(slug, made)))
        elif form is JourneyFormat.html:
            print(page(plan.name, slug, made, duration=_duration(made)))
        else:
            _print(plan.name, slug, made)

    run_with(subscription, body)


def _told(slug: str, made: JourneyReport) -> dict[str, Any]:
    return {
        "journey": slug,
        "entered": made.entered,
        "completed": made.completed,
        "inside": made.inside,
        "completion_rate": made.completion_rate,
        "mean_seconds": made.mean_seconds,
        "median_seconds": made.median_seconds,
        "engaged_accounts": made.engaged_accounts,
        "engaged_people": made.engaged_people,
        "outcomes": [row.__dict__ for row in made.outcomes],
        "days": [
            {"day": day.isoformat(), "entered": entered, "completed": completed}
            for day, entered, completed in made.days
        ],
        "variants": [_told_variant(node) for node in made.variants],
        "decisions": [
            {"node": node.node, "paths": [path.__dict__ for path in node.paths]}
            for node in made.decisions
        ],
        "emails": [told(row) for row in made.emails],
    }


def _told_variant(node: VariantNode) -> dict[str, Any]:
    return {
        "node": node.node,
        "of": node.of,
        "success": node.success,
        "test": node.verdict.test,
        "p": node.verdict.p,
        "differs": node.verdict.differs,
        "paths": [
            {
                "path": path.label,
                "share": path.share,
                "number": path.arm.number,
                "inside": path.inside,
                "successes": path.arm.successes,
                "rate": path.arm.rate,
                "interval": path.arm.interval(),
            }
            for path in node.paths
        ],
    }


def _print(name: str, slug: str, made: JourneyReport) -> None:
    console.print(f"[bold]{cell(name)}[/bold] ({slug})", highlight=False)
    if not made.entered:
        console.print("nobody has entered yet")
        return
    facts = [
        f"{made.entered} entered",
        f"{with_rate(made.completed, made.completion_rate)} completed",
        f"{made.inside} inside",
        f"engaged: {made.engaged_accounts} accounts, {made.engaged_people} people",
    ]
    if made.mean_seconds is not None:
        facts.append(f"entry to completion: {_duration(made)}")
    console.print(" · ".join(facts) + "\n", markup=False, highlight=False)
    outcomes = [
        {
            "reason": row.reason,
            "label": row.label,
            "goal": "yes" if row.goal else None,
            "accounts": row.accounts,
            "of entered": rate(row.accounts / made.entered),
            "on average": _span(row.mean_seconds),
        }
        for row in made.outcomes
    ]
    show(outcomes, Format.table, title="Outcomes")
    for node in made.variants:
        console.print()
        show(_rows(node), Format.table, title=f"Variants at {node.node}: {node.of}, {node.success}")
        console.print(verdict_in_words(node), markup=False, highlight=False)
    for decided in made.decisions:
        console.print()
        rows = [
            {
                "path": path.path,
                "cause": path.cause,
                "accounts": path.accounts,
                "of decided": rate(path.accounts / decided.accounts),
                "confidence": None if path.confidence is None else round(path.confidence, 2),
            }
            for path in decided.paths
        ]
        show(rows, Format.table, title=f"Decided by a model at {decided.node}")
    console.print()
    show(table_of(made.emails), Format.table, title="E-mails", empty="none was sent")


def _duration(made: JourneyReport) -> str:
    if made.mean_seconds is None:
        return ""
    return f"{_span(made.mean_seconds)} on average, half within {_span(made.median_seconds)}"


def _span(seconds: float | None) -> str | None:
    return None if seconds is None else span(timedelta(seconds=seconds))


def _rows(node: VariantNode) -> list[dict[str, Any]]:
    rows = []
    for path in node.paths:
        rows.append(
            {
                "path": path.label,
                "share": None if path.share is None else f"{path.share} %",
                node.of: path.arm.number,
                "still inside": path.inside or None,
                "successes": path.arm.successes,
                "rate": rate(path.arm.rate),
                "95 %": interval_in_words(path.arm),
            }
        )
    return rows
