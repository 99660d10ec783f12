"""A source's files read as ours, and what is wrong with a map or a rule, at its place."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from caravan.journeys.fields import FieldCatalog
from caravan.journeys.source_files import read_source_file
from caravan.journeys.workspace import load_workspace
from caravan.platform.csv_rows import CsvSource, Row
from caravan.platform.file_maps import FileSource, file_source

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MAP = """source: crm
files:
  - file: people-*.csv
    holds: people
    separator: ";"
    columns: {Nr: person_id, Firma: account_id, Mail: email, Geburt: date_of_birth, Stand: as_of, Opt: unsubscribed, Weg: is_deleted}
    constants: {country: DE}
    values: {unsubscribed: {J: "false", N: "true"}, is_deleted: {X: "true"}}
    dates: {date_of_birth: "%d.%m.%Y", as_of: "%d.%m.%Y %H:%M"}
    ids_of: {account_id: erp}
"""
HEADER = "Nr;Firma;Mail;Geburt;Stand;Opt;Notiz;Weg\n"


def read(folder: Path, rows: str, header: str = HEADER) -> tuple[list[Row], CsvSource]:
    (folder / "map.yaml").write_text(MAP, encoding="utf-8")
    sources, problems = read_source_file(folder / "map.yaml", FieldCatalog(), NOW)
    assert problems == []
    path = folder / "people-1.csv"
    path.write_text(header + rows, encoding="utf-8")
    whose = file_source(path, "crm", sources["crm"])
    assert whose is not None
    source = CsvSource(
        path, ("person_id",), FieldCatalog().of("person"), NOW, ("account_id", "roles"), whose
    )
    return list(source.rows()), source


def test_rows_are_read_as_ours(tmp_path: Path) -> None:
    [row], source = read(tmp_path, "17;9;a@a.example;10.12.1980;01.03.2026 08:30;N;note;\n")
    assert (row.id, row.account, row.at) == ("crm:17", "erp:9", datetime(2026, 3, 1, 8, 30, tzinfo=UTC))  # fmt: skip
    said = {name: value for name, value in row.cells.items() if value is not None}
    assert said == {
        "email": "a@a.example", "date_of_birth": "1980-12-10", "unsubscribed": True, "country": "DE",
    }  # fmt: skip
    assert (source.problems, source.warnings, row.is_deleted) == ([], [], False)
    assert [row.is_deleted for row in read(tmp_path, "17;;;;;;;X\n18;;;;;;;\n")[0]] == [True, False]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("17;;;1980;;;;", "date_of_birth '1980': a date written as %d.%m.%Y was expected"),
        ("17;;;;01.07.2026 00:00;;;", "as_of '2026-07-01T00:00:00': is in the future"),
        ("17;;;;;vielleicht;;", "unsubscribed 'vielleicht': true or false was expected"),
        (f"{'x' * 199};;;;;;;", "person_id is longer than 200 characters"),
        ("17;;", "3 cells where the header has 8"),
    ],
)
def test_bad_row_says_why(tmp_path: Path, row: str, why: str) -> None:
    rows, source = read(tmp_path, row + "\n18;;;;;;;\n")
    assert [one.id for one in rows] == ["crm:18"]
    assert [(bad.line, bad.reason) for bad in source.problems] == [(2, why)]


def test_file_that_the_map_does_not_fit_is_not_loaded(tmp_path: Path) -> None:
    rows, source = read(tmp_path, "17\n", header="Nummer\n")
    assert rows == []
    assert "the map names a column Nr, and the file has none" in source.problems[0].reason


def test_source_without_a_map_has_ids_of_its_own() -> None:
    assert FileSource("web").id_of("person_id", "3") == "web:3"
    assert FileSource().id_of("person_id", "web:3") == "web:3"


WORKSPACE = """workspace: ws
---
identity: by-phone
of: people
match: [phone]
---
identity: all
of: accounts
match: []
wat: 1
---
source: files
files:
  - file: a.csv
    holds: people
    columns: {A: e_mail, B: email, C: email}
    values: {titel: {a: b}}
    ids_of: {account_id: "No Slug"}
  - {file: b.csv, holds: orders}
"""


def test_problems_have_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "ws.yaml").write_text(WORKSPACE, encoding="utf-8")
    told = [(one.line, one.code, one.document) for one in load_workspace(tmp_path, NOW).errors]
    assert told == [
        (5, "bad-value", "identity:by-phone"),
        (9, "bad-value", "identity:all"),
        (10, "unknown-key", "identity:all"),
        (12, "bad-value", "source:files"),
        (16, "bad-value", "source:files"),
        (16, "missing-key", "source:files"),
        (16, "unknown-field", "source:files"),
        (17, "unknown-field", "source:files"),
        (18, "bad-value", "source:files"),
        (19, "bad-value", "source:files"),
    ]
    [phone] = [one for one in load_workspace(tmp_path, NOW).errors if one.line == 5]
    assert phone.message == "people are matched by email, not by phone"
