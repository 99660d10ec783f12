"""The report of a journey: who entered, how they left, how long it took, and which variant did better
(product.md §9.1). Of all its versions together; nodes are known by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from caravan.engage import sql
from caravan.journeys.nodes.variants_accounts import VariantsAccounts
from caravan.journeys.nodes.variants_people import VariantsPeople
from caravan.journeys.plan import Plan
from caravan.journeys.reasons import ExitReason
from caravan.reports.decisions import DecisionNode, decisions
from caravan.reports.emails import EmailRow, emails
from caravan.reports.significance import Arm, Verdict, compare

#: what a person does that counts as engagement with a journey
ENGAGING = (
    "email_opened",
    "email_clicked",
    "sms_clicked",
    "page_visited",
    "form_filled",
    "event_registered",
    "event_attended",
)
#: what a success of a variant may be, beside an outcome's label
GOAL, COMPLETED, ENGAGED = "goal", "completed", "engaged"


@dataclass(frozen=True)
class OutcomeRow:
    """Entries that ended in one way; ``inside`` have not."""

    reason: str
    label: str | None
    accounts: int
    goal: bool
    mean_seconds: float | None
    median_seconds: float | None


@dataclass(frozen=True)
class VariantPath:
    """One path of a variant node. ``share``: the per cent it was to have; None: no path of the node now."""

    label: str
    share: int | None
    inside: int
    arm: Arm


@dataclass(frozen=True)
class VariantNode:
    """A variant node: what came of its paths, and whether they differ by more than chance."""

    node: str
    of: str
    success: str
    paths: list[VariantPath]
    verdict: Verdict


@dataclass(frozen=True)
class JourneyReport:
    """Counts are of entries: an account that came twice counts twice."""

    entered: int
    completed: int
    inside: int
    mean_seconds: float | None
    median_seconds: float | None
    engaged_accounts: int
    engaged_people: int
    outcomes: list[OutcomeRow]
    days: list[tuple[date, int, int]]  # day, entered, completed
    variants: list[VariantNode]
    emails: list[EmailRow] = field(default_factory=list)
    decisions: list[DecisionNode] = field(default_factory=list)

    @property
    def completion_rate(self) -> float | None:
        """Completed ÷ entered; those inside may still complete."""
        return self.completed / self.entered if self.entered else None


async def journey(
    conn: Any, slug: str, journey_ids: Sequence[int], plan: Plan, success: str | None = None
) -> JourneyReport:
    """Ask everything of one snapshot.

    Args:
        conn: a connection to the engage store.
        slug: the journey's.
        journey_ids: of all its versions.
        plan: of the latest.
        success: of accounts in variants: GOAL, COMPLETED, ENGAGED or an outcome's label. None: GOAL where
            the journey has goals, else ENGAGED. People in variants succeed by being engaged.
    """
    goals = [one.label for one in plan.exits if one.goal and one.label]
    ids = {"journey_ids": list(journey_ids)}
    success = success or (GOAL if goals else ENGAGED)
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        outcomes = [
            OutcomeRow(**row, goal=row["reason"] == ExitReason.EXIT and row["label"] in goals)
            for row in map(dict, await sql.fetch(conn, "report_outcomes", **ids))
        ]
        duration = await sql.fetchrow(conn, "report_duration", **ids, goals=goals)
        days = await sql.fetch(conn, "report_days", **ids, goals=goals, zone=plan.zone)
        engaged = await sql.fetchrow(conn, "report_engaged", **ids, types=list(ENGAGING))
        variants = await _variants(conn, plan, ids, goals, success)
        mails = await emails(conn, [slug])
        decided = await decisions(conn, journey_ids, plan)
    return JourneyReport(
        entered=sum(row.accounts for row in outcomes),
        completed=sum(
            row.accounts for row in outcomes if row.goal or row.reason == ExitReason.COMPLETED
        ),
        inside=sum(row.accounts for row in outcomes if row.reason == "inside"),
        mean_seconds=duration["mean_seconds"],
        median_seconds=duration["median_seconds"],
        engaged_accounts=engaged["accounts"],
        engaged_people=engaged["people"],
        outcomes=outcomes,
        days=[(row["day"], row["entered"], row["completed"]) for row in days],
        variants=variants,
        emails=mails,
        decisions=decided,
    )


async def _variants(
    conn: Any, plan: Plan, ids: dict[str, Any], goals: list[str], success: str
) -> list[VariantNode]:
    of_accounts = _named(plan, VariantsAccounts)
    of_people = _named(plan, VariantsPeople)
    found = []
    if of_accounts:
        rows = await sql.fetch(
            conn,
            "report_variants_accounts",
            **ids,
            nodes=list(of_accounts),
            goals=goals,
            label=success,
            types=list(ENGAGING),
        )
        counted = success if success in (GOAL, COMPLETED, ENGAGED) else "labelled"
        found += [
            _variant(
                name,
                "accounts",
                success,
                node.paths,
                [r for r in rows if r["node"] == name],
                counted,
            )
            for name, node in of_accounts.items()
        ]
    if of_people:
        rows = await sql.fetch(
            conn, "report_variants_people", **ids, nodes=list(of_people), types=list(ENGAGING)
        )
        found += [
            _variant(
                name, "people", ENGAGED, node.paths, [r for r in rows if r["node"] == name], ENGAGED
            )
            for name, node in of_people.items()
        ]
    return found


def _named(plan: Plan, kind: type) -> dict[str, Any]:
    return {name: node for name, node in plan.nodes.items() if isinstance(node, kind)}


def _variant(
    name: str,
    of: str,
    success: str,
    paths: Sequence[Any],
    rows: Sequence[Mapping[str, Any]],
    counted: str,
) -> VariantNode:
    """In the order of the document; what only earlier versions had comes last."""
    by_path = {row["path"]: row for row in rows}
    told = []
    for number, path in enumerate(paths, start=1):
        # accounts take numbered edges, people are noted by the path's name
        row = by_path.pop(str(number), None) or by_path.pop(path.label, None)
        told.append(_path(path.label or str(number), path.share, row, counted))
    told += [_path(path, None, row, counted) for path, row in by_path.items()]
    return VariantNode(name, of, success, told, compare([path.arm for path in told]))


def _path(
    label: str, share: int | None, row: Mapping[str, Any] | None, counted: str
) -> VariantPath:
    if row is None:
        return VariantPath(label, share, 0, Arm(0, 0))
    return VariantPath(label, share, row["inside"], Arm(row["number"], row[counted]))
