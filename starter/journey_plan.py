"""``caravan journey plan SLUG``: what a publish would change, and where the accounts inside stand."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from caravan.database.pool import Pool
from caravan.engage import versions
from caravan.engage.versions import Standing
from caravan.journeys.comparing import Comparison, Difference, NodeChange, compare
from caravan.journeys.compiler import compile_journey
from caravan.journeys.conditions.parse import nearest
from caravan.journeys.plan import Plan
from caravan.journeys.retold import node_name
from starter.errors import UserError
from starter.inside import MapOption, node_map
from starter.output import Format, FormatOption, as_json, cell, console, plainly, show
from starter.session import Session, SubscriptionOption, known_journey, plan_of, run_with
from starter.validate import runnable_workspace

COLUMNS = ("node", "change", "was", "inside", "with_migrate", "what")
#: a value in a table, at most
LONGEST = 60


@dataclass
class Inside:
    """The accounts at one node, over all earlier versions, and what migrate would make of them."""

    accounts: int = 0
    finish: int = 0
    stay: int = 0
    why: set[str] = field(default_factory=set)

    @property
    def with_migrate(self) -> str:
        """In words: ``3 go on, 1 stay: the new version has no node x``."""
        parts = []
        if going := self.accounts - self.finish - self.stay:
            parts.append(f"{going} go on")
        if self.finish:
            parts.append(f"{self.finish} finish it first")
        if self.stay:
            parts.append(f"{self.stay} stay: {'; '.join(sorted(self.why))}")
        return ", ".join(parts)


def plan(
    slug: Annotated[str, typer.Argument(help="The journey's slug.", metavar="SLUG")],
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir", help="Compare with the document in this workspace, not with the draft."
        ),
    ] = None,
    renamed: MapOption = None,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Show what publishing would change, node by node, and how many accounts stand on each node.

    Compares the version published last with the draft that `caravan apply --draft` stored, or with the
    document in a workspace. Changes nothing.
    """
    names = node_map(renamed)

    async def body(session: Session) -> None:
        pool = await session.engage()
        rows = await known_journey(pool, slug)
        published = [row for row in rows if row["state"] != "draft"]
        if not published:
            raise UserError(
                f"{slug} was never published: there is nothing to compare, and nobody inside"
            )
        draft = rows[-1] if rows[-1]["state"] == "draft" else None
        new = await _new(pool, slug, draft, directory)
        version = draft["version"] if draft else rows[-1]["version"] + 1
        if draft is None and new.hash == published[-1]["plan_hash"]:
            version = published[-1][
                "version"
            ]  # published already: publishing it leaves it as it is
        comparison = compare(await plan_of(pool, published[-1]), new, names)
        standing = await versions.standing(pool, slug, version, new, names)
        told = _told(comparison, standing)
        head = {"journey": slug, "from": published[-1]["version"], "to": version}
        if form is Format.json:
            settings = [_difference(one) for one in comparison.settings]
            print(as_json(head | {"settings": settings, "nodes": told}))
        else:
            _print(head, comparison, told)

    run_with(subscription, body)


async def _new(pool: Pool, slug: str, draft: Any, directory: Path | None) -> Plan:
    """The plan that would be published."""
    if directory is not None:
        workspace = runnable_workspace(directory, datetime.now(UTC))
        if slug not in workspace.journeys:
            raise UserError(
                f"No journey {slug} in {directory}{nearest(slug, set(workspace.journeys))}"
            )
        return compile_journey(workspace, slug).plan
    if draft is None:
        raise UserError(
            f"{slug} has no draft: store one with `caravan apply DIR --draft`, or name the workspace with --dir"
        )
    return await plan_of(pool, draft)


def _told(comparison: Comparison, standing: list[Standing]) -> list[dict[str, Any]]:
    """Accounts are told at the node they go on at; where there is none, at the one they stand at."""
    inside: dict[str, Inside] = {}
    rows = {change.node for change in comparison.nodes}
    for place in standing:
        node = place.name if place.name in rows or place.node is None else place.node
        at = inside.setdefault(node, Inside())
        at.accounts += place.accounts
        at.finish += place.accounts if place.midway and not place.stays else 0
        if place.stays:
            at.stay += place.accounts
            at.why.add(place.stays)
    told = [_node(change, inside.pop(change.node, Inside())) for change in comparison.nodes]
    # of versions before the one published last
    return told + [_node(NodeChange(name, "removed"), at) for name, at in sorted(inside.items())]


def _node(change: NodeChange, inside: Inside) -> dict[str, Any]:
    return {
        "node": change.node,
        "change": change.change,
        "was": change.was,
        "differences": [_difference(one) for one in change.differences],
        "inside": inside.accounts,
        "migrate": {
            "go_on": inside.accounts - inside.finish - inside.stay,
            "finish_first": inside.finish,
            "stay": inside.stay,
            "why": sorted(inside.why),
        },
        "with_migrate": inside.with_migrate,
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {"key": one.key, "old": one.old, "new": one.new}


def _print(head: dict[str, Any], comparison: Comparison, told: list[dict[str, Any]]) -> None:
    console.print(
        f"[bold]{cell(head['journey'])}[/bold] v{head['from']} → v{head['to']}", highlight=False
    )
    for one in comparison.settings:
        plainly(f"  {_what(_difference(one))}")
    changed = [
        row | {"node": node_name(row["node"]), "what": "; ".join(map(_what, row["differences"]))}
        for row in told
        if row["change"] != "unchanged" or row["migrate"]["stay"]
    ]
    same = sum(row["inside"] for row in told if row["change"] == "unchanged")
    nothing = "nothing changes" if not comparison.settings else "no node changes"
    show(changed, Format.table, columns=COLUMNS, empty=nothing)
    plainly(f"{same} accounts stand on nodes that do not change")


def _what(difference: dict[str, Any]) -> str:
    """``wait: 2 days → 3 days``."""
    old, new = (_short(difference[side]) for side in ("old", "new"))
    if difference["old"] is None:
        return f"{difference['key']}: now {new}"
    if difference["new"] is None:
        return f"{difference['key']}: no longer {old}"
    return f"{difference['key']}: {old} → {new}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else as_json(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
