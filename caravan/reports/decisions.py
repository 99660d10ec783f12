"""What models decided in a journey: how many accounts went each way, how sure the model was, and why its word did not count."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from caravan.engage import sql
from caravan.journeys.nodes.decide import Decide
from caravan.journeys.nodes.paths import names
from caravan.journeys.plan import Plan


@dataclass(frozen=True)
class DecidedPath:
    """Accounts that went one way for one reason; ``confidence``: the mean, where a model said one."""

    path: str
    accounts: int
    confidence: float | None
    cause: str | None


@dataclass(frozen=True)
class DecisionNode:
    node: str
    paths: list[DecidedPath]

    @property
    def accounts(self) -> int:
        return sum(path.accounts for path in self.paths)


async def decisions(conn: Any, journey_ids: Sequence[int], plan: Plan) -> list[DecisionNode]:
    """By node, those of the latest version first; paths that only earlier ones had bear their numbers.

    Args:
        conn: a connection to the engage store.
        journey_ids: of all versions.
        plan: of the latest.
    """
    rows = await sql.fetch(conn, "report_decisions", journey_ids=list(journey_ids))
    known = [name for name, node in plan.nodes.items() if isinstance(node, Decide)]
    nodes = dict.fromkeys([*known, *(row["node"] for row in rows)])
    found = [
        DecisionNode(node, [_path(plan, row) for row in rows if row["node"] == node])
        for node in nodes
    ]
    return [one for one in found if one.paths]


def _path(plan: Plan, row: Any) -> DecidedPath:
    node, edge = plan.nodes.get(row["node"]), row["edge"]
    labels = names(node.paths) if isinstance(node, Decide) else []
    if edge.isdecimal() and int(edge) <= len(labels):
        edge = labels[int(edge) - 1]
    return DecidedPath(edge, row["accounts"], row["confidence"], row["cause"])
