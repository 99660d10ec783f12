"""Each command that is named to a reader, by the documentation or by a message, can be given."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from starter.verbs import VERBS

HERE = Path(__file__).parents[2]
CODE = ("caravan", "starter", "workflows", "activities", "benchmarks", "examples")
DOCUMENTS = [HERE / "README.md", HERE / "CHANGELOG.md", *sorted(HERE.glob("docs/**/*.md"))]
SOURCES = [
    HERE / "worker.py",
    *sorted(file for folder in CODE for file in (HERE / folder).rglob("*") if file.is_file()),
]
#: as it is typed: between backticks, or at the beginning of a line that may say where `caravan` is
NAMED = re.compile(r"(?:`|^[ $]*(?:\.venv/bin/)?)caravan((?:[ \n]+[a-z][a-z|-]*)+)", re.MULTILINE)


@cache
def tree() -> dict[str, Any]:
    return {verb.name: verb.load() for verbs in VERBS.values() for verb in verbs}


def named(text: str) -> Iterator[str]:
    for found in NAMED.finditer(text):
        yield " ".join(found[1].split())


def unknown(command: str) -> str | None:
    """The first word that stands where a command would, and is none; what follows a command is its arguments."""
    commands = tree()
    for words in command.split():
        missing = [word for word in words.split("|") if word not in commands]
        if missing:
            return missing[0]
        commands = getattr(commands[words.split("|")[-1]], "commands", {})
        if not commands:
            return None
    return None


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(HERE)))
def test_commands_of_a_document_can_be_given(file: Path) -> None:
    said = list(named(file.read_text(encoding="utf-8")))
    assert [(command, word) for command in said if (word := unknown(command))] == []


def test_commands_that_the_code_names_can_be_given() -> None:
    wrong = {
        (str(file.relative_to(HERE)), command)
        for file in SOURCES
        if file.suffix in {".py", ".md", ".sql", ".html", ".txt", ".yaml"}
        for command in named(file.read_text(encoding="utf-8"))
        if unknown(command)
    }
    assert wrong == set()


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("event key new", None),
        ("events key list", None),
        ("subscription pair|unpair", None),
        ("simulate examples", None),
        ("buying-group status", "status"),
        ("subscription pair|part", "part"),
        ("fly", "fly"),
    ],
)
def test_word_that_is_no_command_is_found(command: str, word: str | None) -> None:
    assert unknown(command) == word


def test_documents_name_commands() -> None:
    assert sum(len(list(named(file.read_text(encoding="utf-8")))) for file in DOCUMENTS) > 100
