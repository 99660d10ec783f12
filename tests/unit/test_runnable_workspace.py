"""Commands that run a workspace refuse one that has faults, and tell those."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from starter.errors import UserError
from starter.validate import known_template, read_workspace, runnable_workspace
from tests.unit.test_approval import ORIGIN, with_front

AT = datetime(2026, 6, 1, 8, tzinfo=UTC)


def test_one_that_only_waits_for_approval_may_run(tmp_path: Path) -> None:
    assert with_front(tmp_path, ORIGIN).errors
    assert "hi" in runnable_workspace(tmp_path, AT).templates


def test_faults_are_told_and_counted_without_what_waits_for_approval(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_front(tmp_path, ORIGIN)
    (tmp_path / "more.yaml").write_text("audience: more\nwhen: {}\nwehn: {}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"^1 error; mend them first$"):
        runnable_workspace(tmp_path, AT)
    told = capsys.readouterr().err
    assert "unknown-key" in told
    assert "unapproved-content" not in told


def test_it_is_held_to_the_limits_that_are_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_front(tmp_path)
    runnable_workspace(tmp_path, AT)
    monkeypatch.setenv("LIMIT_JOURNEY_NAME", "1")
    (tmp_path / "j.yaml").write_text(
        (tmp_path / "j.yaml").read_text(encoding="utf-8") + "name: Two\n", encoding="utf-8"
    )
    with pytest.raises(UserError, match="mend them first"):
        runnable_workspace(tmp_path, AT)


def test_template_that_is_not_there_is_told_from_one_that_has_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = with_front(tmp_path)
    assert known_template(tmp_path, workspace, "hi") is workspace.templates["hi"]
    with pytest.raises(UserError, match=r"^No e-mail other in "):
        known_template(tmp_path, workspace, "other")
    (tmp_path / "emails" / "hi.html").write_text("---\nsubjekt: x\n---\n<p>x</p>", encoding="utf-8")
    with pytest.raises(UserError, match=r"^E-mail hi has errors; mend them first$"):
        known_template(tmp_path, read_workspace(tmp_path, AT), "hi")
    assert "hi.html:" in capsys.readouterr().err
