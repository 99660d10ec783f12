"""Limits: one table that settings, the command and the documentation agree with, and each is kept to."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from caravan.gateway.events import read_events
from caravan.journeys.limits import USUAL, Limits, setting_of
from caravan.journeys.problems import Problem
from caravan.journeys.workspace import load_workspace
from caravan.limit_settings import read_limits
from caravan.platform.csv_rows import CsvSource
from caravan.platform.event_lines import EventSource
from caravan.settings import SettingsError
from starter.buying_group_changes import refuse_too_many
from starter.errors import UserError
from starter.limits import limit_rows

AT = datetime(2026, 3, 2, tzinfo=UTC)
DOCS = Path(__file__).parents[2] / "docs" / "limits.md"

HEAD = """
workspace: ws
sender: {name: Us, email: us@us.example}
postal_address: 1 Street
FIELDS
---
audience: everyone
of: accounts
when: {}
---
roles_template: team
roles: [{role: one}]
---
stage_model: stages
stages: [{stage: open, entry: true, to: [won]}, {stage: won, success: true}]
---
solution_interest: grid
roles_template: team
stage_model: stages
---
service: ask
url: https://ask.example/v1
---
"""


def journey(node: str, end: str = "30 days", name: str = "J") -> str:
    return f"""
journey: j
name: {name}
audience: everyone
schedule: {{start: now, end: {end}}}
start: a
nodes: {{a: {node}, b: {{wait: 1 day}}}}
"""


def paths(count: int) -> str:
    each = ", ".join(
        f"{{label: p{n}, when: {{account: {{city: c{n}}}}}, next: b}}" for n in range(count)
    )
    return journey(f"{{split: accounts, paths: [{each}], otherwise: b}}")


def variants(count: int) -> str:
    shares = [100 // count] * (count - 1)
    shares.append(100 - sum(shares))
    each = ", ".join(f"{{label: p{n}, share: {s}, next: b}}" for n, s in enumerate(shares))
    return journey(f"{{variants: accounts, paths: [{each}]}}")


def action(text: str) -> str:
    return journey(f"{{do: [{text}], next: b}}")


#: for each limit a document, by how much of it there is
DOCUMENTS: dict[str, Callable[[int], str]] = {
    "custom_fields": lambda n: "fields: {account: {" + ", ".join(f"f{i}: string" for i in range(n)) + "}}",
    "journey_years": lambda n: journey("{wait: 1 day, next: b}", f"{12 * n} months"),
    "journey_name": lambda n: journey("{wait: 1 day, next: b}", name="n" * n),
    "split_paths": paths,
    "variant_paths": variants,
    "call_minutes": lambda n: journey(
        f"{{call: ask, of: account, timeout: {n} minutes, next: b, failed: b}}"
    ),
    "moment_text": lambda n: action(f"{{account_interesting_moment: {{type: web, text: {'t' * n}}}}}"),
    "sms_text": lambda n: action(f"{{send_sms: {{text: {'t' * n}}}}}"),
    "status_text": lambda n: action(
        f"{{update_buying_group_status: {{solution_interest: grid, status: {'t' * n}}}}}"
    ),
    "roles": lambda n: "roles_template: many\nroles: ["
    + ", ".join(f"{{role: r{i}}}" for i in range(n))
    + "]",
    "personas": lambda n: "---\n".join(f"persona: p{one}\nexamples: [CEO]\n" for one in range(n)),
    "communication_rules": lambda n: "communication_limits: c\nlimits: ["
    + ", ".join(f"{{per: person, at_most: 1, every: {i + 1} days}}" for i in range(n))
    + "]",
    "quiet_periods": lambda n: "communication_limits: c\nquiet_hours: ["
    + ", ".join(f'{{from: "01:{i:02}", to: "01:{i + 1:02}"}}' for i in range(n))
    + "]",
}  # fmt: skip
#: how many of it there are in a small installation
SMALL = {
    "variant_paths": 4,
    "moment_text": 20,
    "sms_text": 30,
    "status_text": 10,
    "call_minutes": 30,
}


def found(folder: Path, document: str, limits: Limits) -> list[Problem]:
    fields = document if document.startswith("fields:") else ""
    text = HEAD.replace("FIELDS", fields) + ("" if fields else document)
    (folder / "ws.yaml").write_text(text, encoding="utf-8")
    return [one for one in load_workspace(folder, AT, limits).problems if one.severity == "error"]


@pytest.mark.parametrize("set_", [False, True], ids=["usual", "set"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_is_kept_to_a_limit_and_told_which_it_is(
    tmp_path: Path, name: str, set_: bool
) -> None:
    limits = Limits(**{name: SMALL.get(name, 2)}) if set_ else USUAL
    most = getattr(limits, name)
    assert found(tmp_path, DOCUMENTS[name](most), limits) == []
    beyond = found(tmp_path, DOCUMENTS[name](most + 1), limits)
    assert len(beyond) == 1, beyond
    assert beyond[0].message.endswith(f"(limit {name} is {most}, setting {setting_of(name)})")


def test_email_is_kept_to_the_limits(tmp_path: Path) -> None:
    def said(count: int, filling: int, limits: Limits = USUAL) -> list[str]:
        (tmp_path / "emails" / "fragments").mkdir(parents=True, exist_ok=True)
        takes = ""
        for number in range(count):
            (tmp_path / "emails" / "fragments" / f"f{number}.html").write_text("<p>words</p>\n")
            takes += f"{{% render 'f{number}' %}}"
        (tmp_path / "emails" / "hi.html").write_text(
            "---\nemail: hi\nsubject: Hi\noperational: true\n---\n<html><body><p>words</p>"
            f"{takes}<!--{'x' * filling}--></body></html>"
        )
        (tmp_path / "ws.yaml").write_text(HEAD.replace("FIELDS", ""))
        return [one.message for one in load_workspace(tmp_path, AT, limits).problems]

    assert said(30, 0) == []
    [message] = said(31, 0)
    assert message.endswith("(limit email_fragments is 30, setting LIMIT_EMAIL_FRAGMENTS)")
    assert said(2, 0, Limits(email_fragments=2)) == []
    assert len(said(3, 0, Limits(email_fragments=2))) == 1
    assert said(0, 90 * 1024) == []
    [message] = said(0, 101 * 1024)
    assert message.endswith("(limit email_kilobytes is 100, setting LIMIT_EMAIL_KILOBYTES)")
    assert said(0, 101 * 1024, Limits(email_kilobytes=102)) == []


def test_rows_and_events_are_kept_to_the_limits(tmp_path: Path) -> None:
    rows = tmp_path / "accounts.csv"
    rows.write_text(f"account_id,name\na,{'n' * 255}\nb,{'n' * 256}\n")
    source = CsvSource(
        rows, ("account_id",), {"name": "string"}, AT, longest={"name": "account_name"}
    )
    assert [row.id for row in source.rows()] == ["a"]
    [bad] = source.problems
    assert (bad.line, bad.reason.endswith("setting LIMIT_ACCOUNT_NAME)")) == (3, True)

    def line(count: int) -> str:
        fields = ", ".join(f'"f{n}": {n}' for n in range(count))
        return f'{{"id": "e{count}", "at": "2026-01-01T00:00:00Z", "type": "t", "person_id": "p", {fields}}}'

    events = tmp_path / "events.jsonl"
    events.write_text(f"{line(100)}\n{line(101)}\n")
    lines = EventSource(events)
    assert [event.id for event in lines.rows()] == ["e100"]
    assert "(limit event_fields is 100, setting LIMIT_EVENT_FIELDS)" in lines.problems[0].reason
    taken, refused = read_events(f"[{line(2)}, {line(3)}]".encode(), Limits(event_fields=2))
    assert getattr(taken, "id", None) == "e2"
    assert isinstance(refused, str)
    assert "LIMIT_EVENT_FIELDS" in refused


def test_command_about_many_people_is_kept_to_the_limit() -> None:
    refuse_too_many(["p"] * 50, USUAL)
    with pytest.raises(UserError, match=r"limit bulk_people is 50, setting LIMIT_BULK_PEOPLE"):
        refuse_too_many(["p"] * 51, USUAL)
    with pytest.raises(UserError, match="limit bulk_people is 3"):
        refuse_too_many(["p"] * 4, Limits(bulk_people=3))


def test_every_limit_is_proved_here() -> None:
    elsewhere = {
        "email_fragments",
        "email_kilobytes",
        "account_name",
        "event_fields",
        "bulk_people",
    }
    assert set(Limits.model_fields) == set(DOCUMENTS) | elsewhere


def test_settings_say_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Limits.model_fields:
        monkeypatch.delenv(setting_of(name), raising=False)
    assert read_limits() == USUAL
    monkeypatch.setenv("LIMIT_SPLIT_PATHS", "30")
    assert read_limits() == Limits(split_paths=30)
    row = next(row for row in limit_rows(read_limits()) if row["limit"] == "split_paths")
    assert (row["value"], row["default"], row["setting"]) == (30, 25, "LIMIT_SPLIT_PATHS")
    for wrong in ("0", "101", "many", "2.5"):
        monkeypatch.setenv("LIMIT_SPLIT_PATHS", wrong)
        with pytest.raises(SettingsError, match=r"LIMIT_SPLIT_PATHS.*whole number from 1 to 100"):
            read_limits()


def test_documentation_says_what_the_code_says() -> None:
    told = {
        match["setting"]: (match["what"].strip(), int(match["default"].replace(",", "")), int(match["most"].replace(",", "")), match["where"].strip())
        for match in re.finditer(
            r"^\| `(?P<setting>LIMIT_\w+)` \|(?P<what>[^|]*)\| (?P<default>[\d,]+) \| (?P<most>[\d,]+) \|(?P<where>[^|]*)\|$",
            DOCS.read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    }  # fmt: skip
    assert told == {
        row["setting"]: (row["what"], row["default"], row["most"], row["where"])
        for row in limit_rows(USUAL)
    }
