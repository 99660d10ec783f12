"""Two versions compared, in the words of documents."""

from datetime import UTC, datetime
from pathlib import Path

from caravan.journeys.comparing import compare
from caravan.journeys.compiler import compile_journey
from caravan.journeys.plan import Plan
from caravan.journeys.workspace import load_workspace

WORKSPACE = """
workspace: ws
sender: {name: Us, email: us@us.example}
postal_address: 1 Street
---
audience: everyone
when: {}
---
journey: trip
audience: everyone
schedule: {end: 30 days}
tokens: {webinar: May}
exits: [{label: won, when: {opportunity: {is_won: true}}, do: [{account_interesting_moment: {type: web, text: Won}}]}]
start: hello
nodes:
  hello: {do: [{send_email: {template: hi}}], next: fork}
  fork:
    split: accounts
    paths:
      - {label: Large, when: {account: {employees: {at_least: 100}}}, next: pause}
      - {when: {did: {event: email_opened, within: 3 days}}, next: ears}
  pause: {wait: 1 day, next: ears}
  ears: {listen: [{form_filled: {form: meeting}}], timeout: {after: 5 days}, next: by_role}
  by_role:
    split: people
    paths: [{label: Chiefs, when: {person: {job_title: {starts_with: Chief}}}, do: [{send_email: {template: hi}}]}]
"""
MAIL = "---\nemail: hi\nsubject: Hi\n---\n<p>{{ account.name }} {{ unsubscribe_link }}</p>\n"


def plan(folder: Path, *changes: tuple[str, str], mail: str = MAIL) -> Plan:
    text = WORKSPACE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "emails").mkdir(parents=True, exist_ok=True)
    (folder / "ws.yaml").write_text(text)
    (folder / "emails/hi.html").write_text(mail)
    workspace = load_workspace(folder, datetime(2026, 3, 2, tzinfo=UTC))
    assert not workspace.errors, workspace.errors
    return compile_journey(workspace, "trip").plan


def told(
    old: Plan, new: Plan, **renamed: str
) -> dict[str, tuple[str, dict[str, tuple[object, object]]]]:
    return {
        one.node: (one.change, {part.key: (part.old, part.new) for part in one.differences})
        for one in compare(old, new, renamed).nodes
        if one.change != "unchanged"
    }


def test_same_documents_differ_in_nothing(tmp_path: Path) -> None:
    compared = compare(plan(tmp_path), plan(tmp_path), {})
    assert compared.settings == ()
    assert {one.change for one in compared.nodes} == {"unchanged"}


def test_changes_are_told_by_the_keys_of_the_document(tmp_path: Path) -> None:
    new = plan(
        tmp_path,
        ("wait: 1 day", "wait: 3 days"),
        ("at_least: 100", "at_least: 50"),
        ("within: 3 days", "within: 4 days"),
        ("form: meeting", "form: demo"),
        ("starts_with: Chief", "starts_with: [Chief, VP]"),
        ("text: Won", "text: Hurrah"),
    )
    assert told(plan(tmp_path), new) == {
        "pause": ("changed", {"wait": ("1 day", "3 days")}),
        "fork": (
            "changed",
            {
                "paths.Large.when.account.employees.at_least": (100, 50),
                "paths.2.when.did.within": ("3 days", "4 days"),
            },
        ),
        "ears": ("changed", {"listen.1.form_filled.form": ("meeting", "demo")}),
        "by_role": (
            "changed",
            {"paths.Chiefs.when.person.job_title.starts_with": ("Chief", ["Chief", "VP"])},
        ),
        "exit:won": ("changed", {"do.1.account_interesting_moment.text": ("Won", "Hurrah")}),
    }


def test_node_that_leads_to_a_renamed_one_has_not_changed(tmp_path: Path) -> None:
    new = plan(tmp_path, ("pause", "respite"))
    assert told(plan(tmp_path), new, pause="respite") == {"respite": ("renamed", {})}
    without = told(plan(tmp_path), new)
    assert (without["pause"][0], without["respite"][0]) == ("removed", "added")
    assert without["fork"] == ("changed", {"paths.Large.next": ("pause", "respite")})


def test_copy_of_a_mail_is_a_change_of_the_nodes_that_send_it(tmp_path: Path) -> None:
    new = plan(tmp_path, mail=MAIL.replace("subject: Hi", "subject: Ho"))
    changed = ("changed", {"e-mail.hi.subject": ("Hi", "Ho")})
    assert told(plan(tmp_path), new) == {"hello": changed, "by_role": changed}


def test_other_type_of_node_and_settings_of_the_journey_are_told(tmp_path: Path) -> None:
    new = plan(tmp_path, ("wait: 1 day", "do: []"), ("end: 30 days", "end: 60 days"))
    assert told(plan(tmp_path), new)["pause"][1] == {
        "type": ("wait", "do"),
        "wait": ("1 day", None),
        "do": (None, []),
    }
    [setting] = compare(plan(tmp_path), new, {}).settings
    assert (setting.key, setting.old, setting.new) == ("schedule.end", "30 days", "60 days")
