"""The table of verbs says what its commands say, and a command loads no more than it needs."""

import subprocess
import sys

import pytest

import caravan
from starter.verbs import VERBS, Verb
from tests.commands import caravan as command

EVERY = [verb for verbs in VERBS.values() for verb in verbs]


@pytest.mark.parametrize("verb", EVERY, ids=lambda verb: str(verb.name))
def test_table_says_of_a_verb_what_it_says_of_itself(verb: Verb) -> None:
    loaded = verb.load()
    assert loaded.name == verb.name
    assert loaded.help.split("\n\n")[0].replace("\n", " ") == verb.help


def test_help_names_every_verb_but_the_hidden() -> None:
    told = command("--help", COLUMNS="200").stdout
    missing = [verb.name for verb in EVERY if f"│ {verb.name} " not in told]
    assert missing == [verb.name for verb in EVERY if verb.is_hidden]


@pytest.mark.parametrize("name", ["journey", "sync", "subscription", "email", "ai"])
def test_group_lists_its_commands(name: str) -> None:
    [verb] = [verb for verb in EVERY if verb.name == name]
    told = command(name, "--help").stdout
    assert [one for one in verb.beside if f"│ {one} " not in told] == []


def test_version_is_told() -> None:
    assert command("--version").stdout == f"caravan {caravan.__version__}\n"


def test_misspelt_verb_is_told_what_it_may_have_been() -> None:
    ended = command("validat")
    assert ended.returncode == 2
    assert "validate" in ended.stderr


def test_validation_needs_neither_a_store_nor_temporal() -> None:
    asked = "from starter.verbs import VERBS; [v.load() for v in VERBS['The workspace'] if v.name == 'validate']"
    told = "import sys; print(sorted({'asyncpg', 'temporalio', 'aiosmtplib'} & set(sys.modules)))"
    ended = subprocess.run(
        [sys.executable, "-c", f"{asked}; {told}"], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "[]\n"
