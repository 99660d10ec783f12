"""What a model wrote is an error to publish until its front matter names who has read it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from caravan.journeys.workspace import Workspace, load_workspace
from tests.unit.test_validation_codes import FILES

AT = datetime(2026, 6, 1, 8, tzinfo=UTC)
ORIGIN = (
    "generated: {model: 'openai:gpt-5.2', at: 2026-06-01T08:00:00Z, digest: abc, feature: email}"
)


def with_front(folder: Path, *lines: str, without: tuple[str, ...] = ()) -> Workspace:
    for file, text in FILES.items():
        if file in without:
            continue
        (folder / file).parent.mkdir(exist_ok=True)
        if file == "emails/hi.html":
            text = text.replace(
                'subject: "Hello"\n', 'subject: "Hello"\n' + "\n".join(lines) + "\n"
            )
        (folder / file).write_text(text, encoding="utf-8")
    return load_workspace(folder, AT)


def told(workspace: Workspace) -> list[tuple[str, int, str]]:
    return [(one.file, one.line, one.code) for one in workspace.errors]


@pytest.mark.parametrize("generated", [ORIGIN, "generated: true", "generated: {}"])
def test_sent_template_that_a_model_wrote_waits_for_approval(
    tmp_path: Path, generated: str
) -> None:
    workspace = with_front(tmp_path, generated)
    assert told(workspace) == [("emails/hi.html", 4, "unapproved-content")]
    [problem] = workspace.errors
    assert "journey j, journey other, campaign invite" in problem.message
    assert "approved_by" in problem.message
    assert workspace.faults == []  # it can be rehearsed
    assert workspace.unapproved == {"hi"}


def test_campaign_alone_is_reason_enough(tmp_path: Path) -> None:
    workspace = with_front(tmp_path, ORIGIN, without=("j.yaml", "other.yaml"))
    assert told(workspace) == [("emails/hi.html", 4, "unapproved-content")]


@pytest.mark.parametrize(
    "lines",
    [(ORIGIN, "approved_by: Ada Lovelace"), ("generated: false",), ("approved_by: Ada",), ()],
)
def test_approved_or_written_by_hand_it_is_fine(tmp_path: Path, lines: tuple[str, ...]) -> None:
    workspace = with_front(tmp_path, *lines)
    assert workspace.problems == ()
    assert workspace.unapproved == frozenset()


def test_template_that_nothing_sends_may_wait(tmp_path: Path) -> None:
    workspace = with_front(tmp_path, ORIGIN, without=("j.yaml", "other.yaml", "campaign.yaml"))
    assert told(workspace) == []
    assert workspace.unapproved == {"hi"}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("approved_by: ''", "unapproved-content"),
        ("approved_by: ' '", "bad-value"),
        ("approved_by: [me]", "bad-value"),
        ("approved-by: me", "unknown-key"),
    ],
)
def test_approval_without_a_name_is_none(tmp_path: Path, line: str, code: str) -> None:
    assert code in {one[2] for one in told(with_front(tmp_path, ORIGIN, line))}


@pytest.mark.parametrize(
    ("line", "code"),
    [("generated: by me", "bad-value"), ("generated: [a]", "bad-value"), ("generated: {by: m}", "unknown-key")],
)  # fmt: skip
def test_origin_of_another_shape_is_refused(tmp_path: Path, line: str, code: str) -> None:
    assert code in {one[2] for one in told(with_front(tmp_path, line, "approved_by: Ada"))}


def test_draft_is_read_in_place_of_the_file_and_beside_it(tmp_path: Path) -> None:
    with_front(tmp_path)
    drafts = {
        "emails/hi.html": FILES["emails/hi.html"].replace("Hello", "Good day"),
        "more/new.yaml": "audience: drafted\nwhen: {}\n",
        "emails/new.mjml": "---\nemail: new\nsubject: New\n---\n<mjml",
    }
    workspace = load_workspace(tmp_path, AT, drafts=drafts)
    assert workspace.templates["hi"].subject == "Good day"
    assert "drafted" in workspace.audiences
    assert {(one.file, one.code) for one in workspace.errors} == {("emails/new.mjml", "bad-value")}
    assert load_workspace(tmp_path, AT).problems == ()
