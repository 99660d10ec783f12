"""Reasons: what SQL and Python write is one of the list, and the documentation names what people may meet."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from caravan.journeys import suppressing
from caravan.journeys.nodes.base import target
from caravan.journeys.reasons import ExitReason, SkipReason
from workflows import web_ui

ROOT = Path(__file__).resolve().parents[2]
LANGUAGE = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
PRIVACY = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")

ALL = {*SkipReason, *ExitReason}
#: of calls, of mail that waits or is in doubt, and of jobs: what the language does not name
UNTOLD = {
    SkipReason.TIMEOUT, SkipReason.FAILED, SkipReason.EXPIRED, SkipReason.NOT_SENT, SkipReason.ERASED,
    SkipReason.JOURNEY_MEMBER,
}  # fmt: skip
#: what has a meaning beside: a code of validation, an edge, what a person says of a message
ELSEWHERE = {"bad-value", "max-visits", "not-sent"}

#: what a column `reason` is set to or compared with: a literal, or the branches of a case
OF_REASON = re.compile(
    r"\breason\s*(?:=|<>|is(?: not)? distinct from)\s*(?:'([^']*)'|case\b(.*?)\bend\b)", re.S
)
SELECTED = re.compile(r"\bcase\b((?:(?!\bcase\b|\bend\b).)*)\bend\s+as\s+(?:reason|gone)\b", re.S)
BRANCH = re.compile(r"\b(?:then|else)\s+'([^']*)'")


def statements() -> Iterator[tuple[str, str]]:
    """The statements of all SQL files without their comments, by the file's name."""
    for file in sorted((ROOT / "caravan").rglob("*.sql")):
        text = re.sub(r"--.*", "", file.read_text(encoding="utf-8"))
        for statement in re.split(r";\s*\n", text):
            yield file.name, statement


def reasons_in(statement: str) -> set[str]:
    """Those a statement writes, selects or asks for."""
    found = set()
    for literal, branches in OF_REASON.findall(statement):
        found |= {literal} if literal else set(BRANCH.findall(branches))
    for branches in SELECTED.findall(statement):
        found |= set(BRANCH.findall(branches))
    return found


def of_suppressions(statement: str) -> bool:
    """Whether it speaks of the suppression list, which has reasons of its own."""
    return re.search(r"\bsuppressions\b", statement) is not None


def modules() -> Iterator[tuple[Path, ast.AST]]:
    """All that runs, but for the list itself."""
    files = [ROOT / "worker.py"]
    for folder in ("caravan", "workflows", "activities", "starter"):
        files += sorted((ROOT / folder).rglob("*.py"))
    for file in files:
        if file != ROOT / "caravan" / "journeys" / "reasons.py":
            yield file.relative_to(ROOT), ast.parse(file.read_text(encoding="utf-8"))


def spelled_out(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Reasons that stand as texts of their own, with their lines."""
    for node in ast.walk(tree):
        texts: list[ast.expr | None] = []
        if isinstance(node, ast.Constant) and "-" in str(node.value):
            texts = [] if node.value in ELSEWHERE else [node]
        elif isinstance(node, ast.keyword) and node.arg == "reason":
            texts = [node.value]
        elif isinstance(node, ast.Compare) and is_reason(node.left):
            texts = [*node.comparators]
        for text in texts:
            if isinstance(text, ast.Constant) and text.value in ALL:
                yield text.lineno, text.value


def is_reason(node: ast.expr) -> bool:
    """Whether it is ``….reason`` or ``…["reason"]``."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and node.slice.value == "reason"
    return isinstance(node, ast.Attribute) and node.attr == "reason"


def test_every_reason_in_sql_is_one_of_the_list() -> None:
    unknown = {
        (file, reason)
        for file, statement in statements()
        if not of_suppressions(statement)
        for reason in reasons_in(statement) - ALL
    }
    assert not unknown


def test_the_suppression_list_has_reasons_of_its_own() -> None:
    found = [reasons_in(statement) for _, statement in statements() if of_suppressions(statement)]
    assert set().union(*found)
    assert set().union(*found) <= {*suppressing.REASONS}


def test_python_names_reasons_and_spells_none_out() -> None:
    spelled = [(str(file), *where) for file, tree in modules() for where in spelled_out(tree)]
    assert not spelled


@pytest.mark.parametrize(
    "code",
    [
        "skip(reason='removed')",
        "gone = row['reason'] == 'completed'",
        "gone = ended.reason == 'exit'",
        "why = 'journey-not-live'",
    ],
)
def test_a_reason_that_is_spelled_out_is_found(code: str) -> None:
    assert [*spelled_out(ast.parse(code))]


def test_every_reason_of_the_list_is_given_somewhere() -> None:
    given = {reason for _, statement in statements() for reason in reasons_in(statement)}
    for file, tree in modules():
        if file == Path("workflows/web_ui.py"):  # it has words for each
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                kind = {"SkipReason": SkipReason, "ExitReason": ExitReason}.get(node.value.id)
                given |= {kind[node.attr].value} if kind is not None else set()
    assert {one.value for one in ALL} <= given


def test_the_language_names_the_reasons_of_skips_that_are_told() -> None:
    [told] = re.findall(r"Skips have a reason: (.*?); the account goes on\.", LANGUAGE, re.S)
    named = re.findall(r"`([^`]+)`", told)
    assert sorted(named) == sorted({*SkipReason} - UNTOLD)


def test_the_language_names_the_reasons_of_exits() -> None:
    [told] = re.findall(r"^\| `exit` \|.*?`reason`: (.*?); `label`", LANGUAGE, re.M)
    assert re.sub(r" \(.*?\)", "", told).split(", ") == [*ExitReason]


def test_what_permission_depends_on_is_told_by_its_reasons() -> None:
    [rows] = re.findall(r"^\| reason \| when \|.*?\n\|[-|]+\n(.*?)\n\n", PRIVACY, re.M | re.S)
    told = re.findall(r"^\| `([^`]+)` \|", rows, re.M)
    assert told
    assert {*told} <= {*SkipReason}


def test_the_web_ui_has_words_for_every_exit() -> None:
    assert {*web_ui.REASONS} == {*ExitReason}


@pytest.mark.parametrize("reason", ExitReason)
def test_plans_and_histories_have_a_reason_as_a_plain_text(reason: ExitReason) -> None:
    out = target(None, None, reason)
    assert type(out.reason) is str
    assert out.model_dump_json() == f'{{"node":null,"reason":"{reason.value}","label":null}}'
