"""Cases of a feature, as they are written: a YAML list of mappings.

``case`` is a case's name, ``scripted`` what a good model says, one mapping for each question it is asked, which the
tests let a scripted model say; ``{call: TOOL, with: {…}}`` is a call of a tool. The rest is the feature's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FOLDER = Path(__file__).parent / "cases"


class BadCases(Exception):
    """A file of cases is not as it should be: says which and why."""


@dataclass(frozen=True)
class Case:
    """One case."""

    name: str
    data: Mapping[str, Any]  # the feature's own
    scripted: tuple[Mapping[str, Any], ...]

    def __getitem__(self, key: str) -> Any:
        return self.data[key]


def read_cases(file: Path) -> list[Case]:
    """The cases of a file, in its order.

    Raises:
        BadCases: it is not there, or no list of named cases.
    """
    try:
        rows = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadCases(f"{file.name}: {error.strerror}") from None
    if not isinstance(rows, list) or not rows:
        raise BadCases(f"{file.name}: it is a list of cases")
    cases = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or not isinstance(row.get("case"), str):
            raise BadCases(f"{file.name}: case {number} has no name (case: …)")
        scripted = row.get("scripted", [])
        cases.append(
            Case(
                row["case"],
                {key: value for key, value in row.items() if key not in ("case", "scripted")},
                tuple(scripted) if isinstance(scripted, list) else (scripted,),
            )
        )
    names = [case.name for case in cases]
    if len(set(names)) < len(names):
        raise BadCases(f"{file.name}: two cases have one name")
    return cases
