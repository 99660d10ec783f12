"""docs/operations.md tells each setting there is, and none that is not; so are the defaults that it writes."""

import re
from pathlib import Path

from pydantic import SecretStr

from caravan.settings import read_environment

TOLD = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
#: of commands alone, whose option it stands for
OF_COMMANDS = {"CARAVAN_SUBSCRIPTION"}

FIELDS = {
    name.upper(): field
    for name, field in type(read_environment()).model_fields.items()
    if not name.endswith("_file")  # told once for all
}


def rows() -> list[tuple[list[str], str]]:
    """(settings, default) of each line of the table."""
    table = TOLD.read_text(encoding="utf-8").split("| setting | meaning | default |\n")[1]
    lines = [line.split(" | ") for line in table.split("\n\n")[0].splitlines()[1:]]
    return [(re.findall(r"`([A-Z_]+)`", cells[0]), cells[-1].strip(" |")) for cells in lines]


def test_table_of_settings_is_that_of_the_code() -> None:
    told = [name for names, _ in rows() for name in names]
    assert sorted(told) == sorted({*FIELDS, *OF_COMMANDS})


def test_secrets_may_be_given_as_files() -> None:
    for name, field in FIELDS.items():
        if field.annotation == SecretStr | None:
            assert f"{name.lower()}_file" in type(read_environment()).model_fields


def test_defaults_are_told_as_they_are() -> None:
    told = {
        names[0]: default.strip("`")
        for names, default in rows()
        if len(names) == 1 and re.fullmatch(r"`?[a-z0-9.:]+`?", default)
    }
    of_code = {
        name: str(field.default).lower()
        for name, field in FIELDS.items()
        if isinstance(field.default, bool | int | float | Path) or field.default
    }
    compared = told.keys() & of_code.keys()
    assert len(compared) >= 7
    for name in compared:
        assert told[name].removesuffix(".0") == of_code[name].removesuffix(".0"), name
