"""Drawing variants: which path an account or each of its people takes by the paths' shares.

A draw by ``hash`` looks at nothing but who they are, by the ids their team knows: a copy of the data
draws the same. A draw by ``quota`` counts: everybody who comes to the node takes turns at its counts, so
a stretch ends behind it, and so does the claim of mail: they are held no longer than they must be.
"""

from collections.abc import Sequence
from typing import Any

from caravan.campaigns.visit import Visit
from caravan.engage import sql
from caravan.journeys.nodes import Node
from caravan.journeys.nodes.paths import names
from caravan.journeys.nodes.variants import Variant, by_hash, by_quota, hundredth
from caravan.journeys.nodes.variants_accounts import VariantsAccounts
from caravan.journeys.nodes.variants_people import VariantsPeople

Drawn = tuple[str, dict[str, Any]]


def takes_turns(node: Node) -> bool:
    """Whether whoever comes to the node must wait for those who draw there now."""
    return isinstance(node, VariantsAccounts | VariantsPeople) and node.method == "quota"


async def draw_path(visit: Visit, node: VariantsAccounts) -> Drawn:
    """The edge an account leaves its variants by, and why."""
    if node.method == "quota":
        [(name, because)] = await _draw_by_quota(visit, node.paths, 1)
    else:
        who = await sql.fetchval(
            visit.conn, "external_id_of_account", id=visit.traversal.account_id
        )
        name, because = _draw_by_hash(visit, node.paths, who)
    return str(names(node.paths).index(name) + 1), because


async def draw_people(visit: Visit, node: VariantsPeople) -> None:
    """Fix who the people of this visit are and the path of each."""
    people = await sql.fetch(visit.conn, "people_to_draw", account_id=visit.traversal.account_id)
    if node.method == "quota":
        drawn = await _draw_by_quota(visit, node.paths, len(people))
    else:
        drawn = [_draw_by_hash(visit, node.paths, row["external_id"]) for row in people]
    await sql.execute(
        visit.conn,
        "store_drawn",
        traversal_id=visit.traversal.id,
        node=visit.node,
        visit=visit.number,
        person_ids=[row["id"] for row in people],
        paths=[path for path, _ in drawn],
        because=[because for _, because in drawn],
    )


def _draw_by_hash(visit: Visit, paths: Sequence[Variant], who: str) -> Drawn:
    slug = visit.traversal.slug
    return by_hash(paths, slug, visit.node, who), {"hundredth": hundredth(slug, visit.node, who)}


async def _draw_by_quota(visit: Visit, paths: Sequence[Variant], times: int) -> list[Drawn]:
    """Draw for so many, one after the other, and count them."""
    if not times:
        return []
    before = await _locked_counts(visit, names(paths))
    counts = dict(before)
    drawn = []
    for _ in range(times):
        path = by_quota(paths, counts)
        drawn.append((path, {f"counted {name}": count for name, count in counts.items()}))
        counts[path] += 1
    await sql.execute(
        visit.conn,
        "count_drawn",
        slug=visit.traversal.slug,
        node=visit.node,
        paths=list(counts),
        more=[counts[path] - before[path] for path in counts],
    )
    return drawn


async def _locked_counts(visit: Visit, paths: Sequence[str]) -> dict[str, int]:
    """How many took each path so far, over all versions; ours until the transaction ends."""
    place = {"slug": visit.traversal.slug, "node": visit.node}
    rows = await sql.fetch(visit.conn, "lock_variant_counts", **place)
    if not {row["path"] for row in rows}.issuperset(paths):
        await sql.execute(visit.conn, "begin_variant_counts", **place, paths=sorted(paths))
        rows = await sql.fetch(visit.conn, "lock_variant_counts", **place)
    counts = {row["path"]: row["count"] for row in rows}
    return {path: counts[path] for path in paths}
