"""``caravan journey show SLUG``: counters per node, or the picture."""

from typing import Annotated, Any

import typer

from caravan.engage import halting, sql
from caravan.journeys.diagram import mermaid
from caravan.journeys.plan import Plan
from caravan.journeys.reasons import ExitReason
from caravan.reports.node_words import kind_of, of_whom, path_name
from caravan.reports.reason_words import paused_in_words
from starter.journeys import version_row
from starter.output import Format, FormatOption, as_json, cell, console, plainly, show
from starter.session import Session, SubscriptionOption, known_journey, plan_of, run_with

app = typer.Typer(
    no_args_is_help=True, help="A journey: its counters and picture, and the commands of its life."
)


@app.callback()
def _group() -> None:
    """A journey: its counters and picture, and the commands of its life."""


@app.command("show")
def show_journey(
    slug: Annotated[str, typer.Argument(help="The journey's slug.")],
    diagram: Annotated[bool, typer.Option("--diagram", help="Print a Mermaid flowchart.")] = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Show a journey: arrivals and accounts at each node, paths and exits; or its picture."""

    async def body(session: Session) -> None:
        pool = await session.engage()
        versions = await known_journey(pool, slug)
        latest = versions[-1]
        plan = await plan_of(pool, latest)
        nodes = await node_rows(pool, [row["id"] for row in versions], plan)
        goals = {one.label for one in plan.exits if one.goal}
        exits = [
            dict(row) | {"goal": row["reason"] == ExitReason.EXIT and row["label"] in goals}
            for row in await sql.fetch(
                pool, "exit_counts", journey_ids=[row["id"] for row in versions]
            )
        ]
        if diagram:
            counters = {row["node"]: f"{row['arrivals']} in, {row['inside']} here" for row in nodes}
            print(mermaid(plan, counters))
            return
        if form is Format.json:
            print(
                as_json(
                    {
                        "journey": slug,
                        "versions": [version_row(row) for row in versions],
                        "nodes": nodes,
                        "exits": exits,
                    }
                )
            )
            return
        segment = (
            f"{latest['segment_accounts']} accounts, {latest['segment_people']} people"
            if latest["segment_accounts"] is not None
            else "not built yet"
        )
        console.print(
            f"[bold]{cell(plan.name)}[/bold] ({slug}) v{latest['version']} · {latest['state']}{', paused' if latest['paused_at'] else ''} · "
            f"audience {latest['audience']} · segment: {segment}",
            highlight=False,
        )
        for stopped in _stopped(latest, await halting.halted(pool)):
            plainly(stopped)
        console.print()
        show(nodes, form, columns=("node", "kind", "of", "label", "arrivals", "inside", "paths"))
        console.print()
        show(exits, form, title="Accounts", empty="nobody has entered yet")

    run_with(subscription, body)


def _stopped(version: Any, halt: halting.Halt | None) -> list[str]:
    """Why nothing begins in a journey, or nothing leaves, in words."""
    told = []
    if (paused := paused_in_words(version)) is not None:
        told.append(f"{paused}; `caravan journey resume {version['slug']}` lets it go on")
    if halt is not None:
        told.append(f"all sending is {halt.in_words}; `caravan resume-all` lets it go on")
    return told


async def node_rows(pool: Any, journey_ids: list[int], plan: Plan) -> list[dict[str, Any]]:
    """One row per node of the plan with its counters; paths of people splits count people."""
    counts = {
        row["node"]: row
        for row in await sql.fetch(pool, "position_counts", journey_ids=journey_ids)
    }
    paths: dict[str, dict[str, int]] = {}
    for row in await sql.fetch(pool, "path_counts", journey_ids=journey_ids):
        if row["edge"] != "next":
            edge = path_name(plan.nodes.get(row["node"]), row["edge"])
            paths.setdefault(row["node"], {})[edge] = row["accounts"]
    for row in await sql.fetch(pool, "people_path_counts", journey_ids=journey_ids):
        node = plan.nodes.get(row["node"])
        if node is not None and node.kind in ("split_people", "variants_people", "call"):
            paths.setdefault(row["node"], {})[row["path"] or "none"] = row["people"]
    return [
        {
            "node": name,
            "kind": kind_of(node),
            "of": of_whom(node),
            "label": node.label or "",
            "arrivals": counts[name]["arrivals"] if name in counts else 0,
            "inside": counts[name]["inside"] if name in counts else 0,
            "paths": paths.get(name) or None,
        }
        for name, node in plan.nodes.items()
    ]
