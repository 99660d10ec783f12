"""Documents of communication limits: what they may say, and what is told of those that may not."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from caravan.journeys.documents import CommunicationLimitsDocument
from caravan.journeys.workspace import load_workspace

AT = datetime(2026, 6, 1, 8, tzinfo=UTC)
HEAD = "workspace: ws\nzone: {zone}\n---\n"


def read(
    folder: Path, document: str, *, zone: str = "Europe/Stockholm"
) -> tuple[dict[str, CommunicationLimitsDocument], list[tuple[int, str]]]:
    text = HEAD.format(zone=zone) + document
    (folder / "ws.yaml").write_text(text, encoding="utf-8")
    workspace = load_workspace(folder, AT)
    return workspace.communication_limits, [(one.line - 3, one.code) for one in workspace.problems]


MANY = ", ".join(f"{{per: person, at_most: 2, every: {days} days}}" for days in range(1, 22))
FAULTS = [
    ("limits: []", []),  # an empty list says that nothing is limited
    ("", [(1, "missing-key")]),
    ("limits: [{}]", [(2, "missing-key")]),  # per, at_most, every: told once, by code and line
    ("limits: [{per: person, at_most: 2, every: 1 week, chanel: email}]", [(2, "unknown-key")]),
    ("limits: [{per: people, at_most: 2, every: 1 week}]", [(2, "bad-value")]),
    ("limits: [{per: person, at_most: 0, every: 1 week}]", [(2, "bad-value")]),
    ("limits: [{per: person, at_most: 1000001, every: 1 week}]", [(2, "bad-value")]),
    ("limits: [{per: person, at_most: 2, every: weekly}]", [(2, "bad-duration")]),
    ("limits: [{per: person, at_most: 2, every: 90 minutes}]", [(2, "bad-duration")]),
    ("limits: [{per: person, at_most: 2, every: 13 months}]", [(2, "bad-duration")]),
    ("limits: [{per: person, at_most: 2, every: 1 week, channel: post}]", [(2, "bad-value")]),
    (
        "limits:\n- {per: person, at_most: 2, every: 1 week}\n- {per: person, at_most: 3, every: 1 week}",
        [(4, "duplicate-label")],
    ),
    (f"limits: [{MANY}]", [(2, "bad-value")]),
    ("zone: Europe/Nowhere\nlimits: []", [(2, "unknown-zone")]),
    ("zone: account\nlimits: []", [(2, "bad-value")]),
    ("zone: person\nlimits: []", [(2, "unknown-zone")]),
    ("rules: []\nlimits: []", [(2, "unknown-key")]),
    ('quiet_hours: [{to: "07:00"}]', [(2, "missing-key")]),
    ('quiet_hours: [{from: "24:00", to: "07:00"}]', [(2, "bad-value")]),
    ("quiet_hours: [{from: 20:00, to: 7:00}]", [(2, "bad-value")]),
    ('quiet_hours: [{from: "20:00", to: "07:00", weekdays: [monday]}]', [(2, "bad-value")]),
    ('quiet_hours: [{from: "20:00", to: "07:00", zone: people}]', [(2, "unknown-zone")]),
    ('quiet_hours: [{from: "20:00", to: "07:00", otherwise: queue}]', [(2, "bad-value")]),
    ('quiet_hours: [{from: "20:00", to: "20:00"}]', [(2, "bad-value")]),  # never not quiet
    (
        'quiet_hours: [{from: "00:00", to: "12:00", zone: person}, {from: "12:00", to: "00:00", zone: person}]',
        [(2, "bad-value")],
    ),
    ('quiet_hours: [{from: "00:00", to: "12:00", zone: person}, {from: "12:00", to: "00:00"}]', []),
    ('quiet_hours: [{from: "00:00", to: "00:00", weekdays: [sat, sun]}]', []),
]  # fmt: skip


@pytest.mark.parametrize(("body", "told"), FAULTS)
def test_fault_is_told_with_its_line(
    tmp_path: Path, body: str, told: list[tuple[int, str]]
) -> None:
    found, problems = read(tmp_path, f"communication_limits: default\n{body}\n")
    assert sorted(set(problems)) == told
    assert bool(found) == (not told)


def test_slug_is_needed_once(tmp_path: Path) -> None:
    twice = "communication_limits: a\nlimits: []\n---\ncommunication_limits: a\nlimits: []\n"
    assert [code for _, code in read(tmp_path, twice)[1]] == ["duplicate-slug"]
    assert [code for _, code in read(tmp_path, "communication_limits: A b\nlimits: []\n")[1]] == [
        "bad-value"
    ]


def test_zone_is_the_documents_else_the_workspaces(tmp_path: Path) -> None:
    quiet = 'communication_limits: a\n{more}quiet_hours: [{{from: "20:00", to: "07:00"}}]\n'
    for zone, more, own, whose in (
        ("Europe/Stockholm", "", "Europe/Stockholm", "Europe/Stockholm"),
        ("Europe/Stockholm", "zone: Asia/Tokyo\n", "Asia/Tokyo", "Asia/Tokyo"),
        ("account", "", "UTC", "account"),
        ("account", "zone: Asia/Tokyo\n", "Asia/Tokyo", "Asia/Tokyo"),
    ):
        found, problems = read(tmp_path, quiet.format(more=more), zone=zone)
        assert problems == []
        [document] = found.values()
        [hours] = document.quiet_hours
        assert (document.zone, hours.zone, hours.wider) == (own, whose, own)
