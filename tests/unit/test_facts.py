"""Facts: each has a record of its own, so what cites a record cites one sentence."""

import pytest

from caravan.reports.facts import Fact, Facts
from caravan.reports.pseudonyms import Pseudonyms


def test_facts_find_their_records() -> None:
    items = (Fact("group:1", "a"), Fact("role:1/1", "b"))
    assert Facts("it", items, Pseudonyms()).by_record == {"group:1": items[0], "role:1/1": items[1]}


def test_two_facts_of_one_record_are_refused() -> None:
    items = (Fact("group:1", "a"), Fact("role:1/1", "b"), Fact("group:1", "a"))
    with pytest.raises(ValueError, match="two facts have the record group:1"):
        Facts("it", items, Pseudonyms())
