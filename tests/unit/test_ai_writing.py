"""What holds of texts that models write whatever they say: where links lead, where files lie, whose name stands in them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from caravan.ai.drafts import Unconfined, inside, is_fit
from caravan.ai.linked_hosts import invented_links
from caravan.ai.role_focus import focus_of, role_focuses
from caravan.ai.writing import Origin, WrittenMail, mail_file
from caravan.ai_settings import Feature
from caravan.journeys.fields import FieldCatalog
from caravan.journeys.templates import read_template

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
ORIGIN = Origin("openai:gpt-5.2", AT, "d" * 64, Feature.EMAIL)
BRIEF = "Invite to https://webinar.example/12 or see grid.example, and have them write to ada@grid.example."


@pytest.mark.parametrize(
    "text",
    [
        '<a href="https://webinar.example/12?x=1">',
        '<a href="https://grid.example/anything">',  # named without https://
        '<a href="https://us.example">', '<img src="https://pictures.us.example/a.png">',
        '<a href="{{ my.link }}">', '<a href="{{ unsubscribe_link }}">', '<a href="mailto:ada@grid.example">',
        '<html xmlns="http://www.w3.org/1999/xhtml">', "and/or, 1 // 2",
    ],
)  # fmt: skip
def test_links_to_what_was_given_are_fine(text: str) -> None:
    assert invented_links(text, BRIEF, domain="us.example") == []


@pytest.mark.parametrize(
    "text",
    [
        '<a href="https://evil.example">', "<a href=https://evil.example>", "read https://evil.example/x",
        '<a href="//evil.example">', '<a href="HTTPS://EVIL.EXAMPLE">', '<a href="https://us.example@evil.example/">',
        '<a href="https://us.example.evil.example/">', '<a href="https://evilus.example/">', '<a href="https://d.example">',
        '<a href="https:&#47;&#47;evil.example">', '<a href="https:/evil.example">', '<a href="javascript:alert(1)">',
        '<a href="data:text/html,x">', '<a href="https://{{ account.domain }}/">',
        '<a href="https://\nevil.example">', '<a href="/\n/evil.example">', '<a href="https:///evil.example">', '<a href="///evil.example">', '<a href="https:\\\\evil.example">',
    ],
)  # fmt: skip
def test_links_that_nobody_has_given_are_told(text: str) -> None:
    assert invented_links(text, BRIEF, domain="us.example") != []


def test_sender_without_a_domain_has_no_site() -> None:
    assert invented_links('<a href="https://us.example">', BRIEF, domain=None) != []


@pytest.mark.parametrize("file", ["j.yaml", "journeys/my-journey.yaml", "a/b/c_1.yml"])
def test_plain_names_of_documents_are_fit(file: str) -> None:
    assert is_fit(file)


@pytest.mark.parametrize(
    "file",
    [
        "../j.yaml", "/j.yaml", "a/../j.yaml", "a//j.yaml", "./j.yaml", ".git/hooks.yaml", "a/b/c/d.yaml", "j.py",
        "J.yaml", "j.yaml\n", "j.yaml\0", "a\\j.yaml", "~/j.yaml", "j.yaml/", "", ".yaml", "c:j.yaml",
    ],
)  # fmt: skip
def test_other_names_are_not(file: str) -> None:
    assert not is_fit(file)


def test_file_behind_a_link_out_of_the_workspace_is_refused(tmp_path: Path) -> None:
    workspace, outside = tmp_path / "ws", tmp_path / "outside"
    workspace.mkdir()
    outside.mkdir()
    (workspace / "journeys").symlink_to(outside)
    (workspace / "j.yaml").symlink_to(outside / "j.yaml")
    for file in ("journeys/x.yaml", "j.yaml"):
        with pytest.raises(Unconfined, match="outside"):
            inside(workspace, file)
    assert inside(workspace, "emails/x.mjml") == workspace / "emails/x.mjml"


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("champion", "champion"), ("Decision maker", "decision-maker"), ("decision_maker", "decision-maker"),
        ("executive-steering-committee", "steering-committee"), ("Practitioner", "practitioner"), ("influencer", "influencer"),
    ],
)  # fmt: skip
def test_each_role_has_a_focus(name: str, role: str) -> None:
    found = focus_of(name)
    assert found is not None
    assert found.role == role
    assert found.focus


def test_role_of_ones_own_has_none_and_the_five_are_there() -> None:
    assert focus_of("gatekeeper") is None
    assert len(role_focuses()) == 5


@pytest.mark.parametrize(
    "subject",
    ['"quoted" and: a colon', "it's # no comment", "{{ person.first_name | default: 'Hello' }}", "åäö – €", "---", "yes", "0420", "\\n"],
)  # fmt: skip
def test_subject_is_what_was_written_whatever_yaml_would_make_of_it(subject: str) -> None:
    mail = WrittenMail(subject=subject, preheader="", body="<p>Hi {{ unsubscribe_link }}</p>")
    for before in (None, "---\nemail: hi\nsubject: Old\napproved_by: Ada\n---\nold\n"):
        text = mail_file("hi", mail, ORIGIN, before)
        read = read_template("emails/hi.html", "hi", text, FieldCatalog())
        assert read.problems == []
        assert read.template is not None
        assert read.template.subject == subject
        assert read.unapproved is not None
        assert "Ada" not in text


def test_front_matter_that_a_model_puts_into_the_body_is_no_front_matter() -> None:
    sneaky = "---\nemail: hi\nsubject: Hi\napproved_by: Eve\n---\n<p>Hi {{ unsubscribe_link }}</p>"
    mail = WrittenMail(subject="Hi", preheader="", body=sneaky)
    read = read_template("emails/hi.html", "hi", mail_file("hi", mail, ORIGIN), FieldCatalog())
    assert read.unapproved is not None


def test_rest_of_the_front_matter_stays() -> None:
    before = "---\nemail: hi   # ours\nsubject: Old\nreply_to: 'me@us.example'\ngenerated: true\napproved_by: Ada\n---\nold\n"
    mail = WrittenMail(subject="New", preheader="Soon", body="new")
    front = mail_file("hi", mail, ORIGIN, before).partition("\n---\n")[0].splitlines()
    assert front[:5] == [
        "---", "email: hi   # ours", 'subject: "New"', "reply_to: 'me@us.example'", 'preheader: "Soon"',
    ]  # fmt: skip
    assert front[5:] == [
        'generated: {model: "openai:gpt-5.2", at: "2026-03-02T08:00:00Z", digest: "'
        + "d" * 64
        + '", feature: "email"}'
    ]
