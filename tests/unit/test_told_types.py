"""Which activities the Platform is told stands in an index and in two questions that are to use it."""

import re
from pathlib import Path

from caravan import engage
from caravan.platform import sql

INDEX = Path(engage.__file__).parent / "sql" / "migrations" / "0013_activities_in_order.sql"


def types(text: str) -> set[str]:
    [listed] = re.findall(r"type in \(([^)]+)\)", text)
    return set(re.findall(r"'(\w+)'", listed))


def test_questions_name_the_types_of_the_index() -> None:
    told = types(INDEX.read_text(encoding="utf-8"))
    assert len(told) == 10
    assert types(sql.sql("activities_to_tell")) == told
    assert types(sql.sql("activities_untold")) == told
