"""Which journeys have their buying groups looked at on every simulated day."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from caravan.journeys.compiler import compile_journey
from caravan.journeys.workspace import load_workspace
from caravan.simulation.group_asking import asks_of_groups

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "grid-analytics"


@pytest.mark.parametrize(
    ("journey", "asks"),
    [
        ("grid-buying-group", True),
        ("sales-handoff", True),
        ("lifecycle", False),
        ("renewal", False),
        ("grid-nurture", False),
    ],
)
def test_journey_that_speaks_of_groups_asks_of_them(journey: str, asks: bool) -> None:
    workspace = load_workspace(EXAMPLE, datetime(2026, 3, 2, tzinfo=UTC))
    assert asks_of_groups([compile_journey(workspace, journey).plan]) is asks


NODES = """
workspace: ws
sender: {{name: Us, email: us@us.example}}
postal_address: 1 Street
---
audience: everyone
when: {{}}
---
roles_template: team
roles: [{{role: champion}}]
---
solution_interest: grid
roles_template: team
---
journey: trip
audience: everyone
schedule: {{end: 30 days}}
start: a
nodes: {{a: {node}, b: {{wait: 1 day}}}}
"""


@pytest.mark.parametrize(
    "node",
    [
        "{split: accounts, paths: [{label: x, when: {buying_group: {solution_interest: grid}}, next: b}]}",
        "{split: people, paths: [{label: x, when: {person: {engagement: {at_least: 5}}}, do: []}], next: b}",
        "{listen: [{engagement_changed: {solution_interest: grid}}], timeout: {after: 1 day, next: b}, next: b}",
        "{do: [{change_score: {score: lead, by: 1, top: {1: engagement}}}], next: b}",
        "{do: [{assign_to_buying_group: {solution_interest: grid, role: champion}}], next: b}",
    ],
)
def test_every_way_to_depend_on_groups_asks_of_them(tmp_path: Path, node: str) -> None:
    (tmp_path / "ws.yaml").write_text(
        NODES.format(node=node).replace(
            "postal_address", "scores: {lead: {start: 0}}\npostal_address"
        )
    )
    workspace = load_workspace(tmp_path, datetime(2026, 3, 2, tzinfo=UTC))
    assert workspace.errors == []
    assert asks_of_groups([compile_journey(workspace, "trip").plan])
