"""Choosing paths: first match from the top, in one query, kept with the values that decided it."""

from typing import Any

from caravan.campaigns import drawing
from caravan.campaigns.visit import Visit
from caravan.engage import sql
from caravan.journeys.conditions.sql import Binder, Fragment, compile_condition
from caravan.journeys.nodes import Node, segment_actions
from caravan.journeys.nodes.paths import OTHERWISE
from caravan.journeys.nodes.paths import names as path_names
from caravan.journeys.nodes.segments import acts_on_people
from caravan.journeys.nodes.split_accounts import SplitAccounts
from caravan.journeys.nodes.split_people import SplitPeople
from caravan.journeys.nodes.variants_accounts import VariantsAccounts
from caravan.journeys.nodes.variants_people import VariantsPeople

PAIRS_PER_CALL = 45  # a function takes at most 100 arguments


async def choose_path(visit: Visit, node: Node) -> tuple[str, dict[str, Any]]:
    """The edge an account leaves a split or variants by, and why."""
    if isinstance(node, VariantsAccounts):
        return await drawing.draw_path(visit, node)
    assert isinstance(node, SplitAccounts)

    paths = node.paths

    def build(binder: Binder) -> str:
        fragments = [compile_condition(path.when, "account", binder) for path in paths]
        edges = [str(number) for number in range(1, len(fragments) + 1)]
        return (
            f"select {first_match(fragments, edges, OTHERWISE, binder)} as edge,"
            f" {evidence(fragments, binder)} as because"
            f" from accounts a where a.id = {binder.named('account_id', 'bigint')}"
        )

    row = await visit.loaded.query(("choose", visit.node), build, visit.zones).fetchrow(
        visit.conn, **visit.named
    )
    return row["edge"], row["because"]


async def gather_people(visit: Visit, node: Node) -> None:
    """Fix who the people of this visit are and, where people part, the path of each.

    They stay the same for all the node's actions, whatever those change. Where all its actions are on the
    account, nobody asks who they are.
    """
    if visit.loaded.plan.requested:
        return  # whoever requested the campaign has said for whom
    if isinstance(node, VariantsPeople):
        await drawing.draw_people(visit, node)
        return
    if not isinstance(node, SplitPeople):
        if not any(map(acts_on_people, segment_actions(node))):
            return
        await sql.execute(
            visit.conn,
            "gather_participants",
            traversal_id=visit.traversal.id,
            account_id=visit.traversal.account_id,
            node=visit.node,
            visit=visit.number,
        )
        return

    paths, otherwise = node.paths, None if node.otherwise is None else OTHERWISE

    def build(binder: Binder) -> str:
        fragments = [compile_condition(path.when, "person", binder) for path in paths]
        names = path_names(paths)
        return (
            "insert into participants (traversal_id, node, visit, person_id, path, because)"
            f" select {binder.named('traversal_id', 'bigint')}, {binder.literal(visit.node, 'text')},"
            f" {binder.named('visit', 'integer')}, p.id,"
            f" {first_match(fragments, names, otherwise, binder)}, {evidence(fragments, binder)}"
            " from relations r join people p on p.id = r.person_id"
            " join accounts a on a.id = r.account_id"
            f" where r.account_id = {binder.named('account_id', 'bigint')}"
            " and r.deleted_at is null and p.deleted_at is null"
            " order by p.id on conflict do nothing"
        )

    query = visit.loaded.query(("gather", visit.node), build, visit.zones)
    await query.fetch(visit.conn, **visit.named, visit=visit.number)


def first_match(
    fragments: list[Fragment], names: list[str], otherwise: str | None, binder: Binder
) -> str:
    """The name of the first condition that is met, as SQL."""
    cases = "".join(
        f" when {fragment.predicate} then {binder.literal(name, 'text')}"
        for fragment, name in zip(fragments, names, strict=True)
    )
    return f"case{cases} else {binder.literal(otherwise, 'text')} end"


def evidence(fragments: list[Fragment], binder: Binder) -> str:
    """One JSON object of the values all the conditions looked at."""
    values = _labelled([pair for fragment in fragments for pair in fragment.evidence])
    objects = []
    for start in range(0, len(values), PAIRS_PER_CALL):
        some = list(values.items())[start : start + PAIRS_PER_CALL]
        pairs = ", ".join(f"{binder.literal(label, 'text')}, {value}" for label, value in some)
        objects.append(f"jsonb_build_object({pairs})")
    if not objects:
        return "'{}'::jsonb"
    return f"jsonb_strip_nulls({' || '.join(objects)})"


def _labelled(evidence: list[tuple[str, str]]) -> dict[str, str]:
    """SQL values by label, in the order of the conditions; others of the same label are numbered.

    Two conditions about `people` count different people: neither count may hide the other.
    """
    values: dict[str, str] = {}
    for label, value in evidence:
        number, name = 1, label
        while values.get(name, value) != value:
            number += 1
            name = f"{label} ({number})"
        values[name] = value
    return values
