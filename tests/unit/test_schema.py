"""The schema of the documents says what their readers say, and the examples carry it."""

import copy
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from caravan.journeys.actions import ACTIONS
from caravan.journeys.documents import KINDS
from caravan.journeys.schema import READERS, json_schema
from caravan.journeys.workspace import load_workspace
from tests.documents import WIDE, fits_schema, misfits, read_once
from tests.unit import test_validation_codes, test_workspace
from tests.unit.test_problems_of_any_text import places, written

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").rglob("*.yaml"))
WORKSPACES = [*EXAMPLES, *(ROOT / "benchmarks").rglob("*.yaml")]
AT = datetime(2026, 6, 1, 8, tzinfo=UTC)


def test_every_kind_of_document_is_in_the_schema() -> None:
    assert set(READERS) == set(KINDS)
    actions = json_schema()["$defs"]["actions"]["items"]["properties"]
    assert set(actions) == set(ACTIONS)


@pytest.mark.parametrize("file", WORKSPACES, ids=lambda file: file.name)
def test_documents_of_the_examples_fit(file: Path) -> None:
    assert misfits(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_examples_name_the_schema_that_the_command_prints(file: Path) -> None:
    first = file.read_text(encoding="utf-8").splitlines()[0]
    start = "# yaml-language-server: $schema="
    assert first.startswith(start)
    kept = file.parent / first.removeprefix(start)
    assert json.loads(kept.read_text(encoding="utf-8")) == json_schema()


def test_command_prints_the_schema() -> None:
    command = [sys.executable, "-m", "starter", "schema"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    assert json.loads(printed) == json_schema()


def test_documents_of_the_validation_tests_fit() -> None:
    texts = [text for file, text in test_validation_codes.FILES.items() if file.endswith(".yaml")]
    for text in [*texts, test_workspace.HEAD, test_workspace.JOURNEY]:
        assert misfits(text) == []


def test_mapping_that_refuses_strange_keys_refuses_them_in_the_schema_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_once(monkeypatch)
    mail = test_workspace.MAIL
    (tmp_path / "hi.html").write_text(mail, encoding="utf-8")
    documents = list(YAML(typ="safe").load_all(WIDE))
    for number, document in enumerate(documents):
        (tmp_path / f"{number:02}.yaml").write_text(written([document]), encoding="utf-8")
    assert [one.message for one in load_workspace(tmp_path, AT).errors] == []
    refused = 0
    tried: set[object] = set()  # mappings of the same keys under the same name are alike
    for number, document in enumerate(documents):
        assert fits_schema(document), document
        file = tmp_path / f"{number:02}.yaml"
        text = file.read_text(encoding="utf-8")
        for path in places(document):
            changed: Any = copy.deepcopy(document)
            place = changed
            for key in path:
                place = place[key]
            if (
                not isinstance(place, dict)
                or (shape := (path[-1:], *sorted(map(str, place)))) in tried
            ):
                continue
            tried.add(shape)
            place["strange"] = "x"
            file.write_text(written([changed]), encoding="utf-8")
            codes = {one.code for one in load_workspace(tmp_path, AT).errors}
            if "unknown-key" in codes:
                refused += 1
                assert not fits_schema(changed), path
        file.write_text(text, encoding="utf-8")
    assert refused > 40
