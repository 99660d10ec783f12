"""Facts: each has a record of its own, so what cites a record cites one sentence."""

import pytest

from caravan.reports.facts import Fact, Facts, as_data
from caravan.reports.phrases import joined, phrase
from caravan.reports.pseudonyms import Pseudonyms


def test_facts_find_their_records() -> None:
    items = (Fact("group:1", "a"), Fact("role:1/1", "b"))
    assert Facts("it", items, Pseudonyms()).by_record == {"group:1": items[0], "role:1/1": items[1]}


def test_two_facts_of_one_record_are_refused() -> None:
    items = (Fact("group:1", "a"), Fact("role:1/1", "b"), Fact("group:1", "a"))
    with pytest.raises(ValueError, match="two facts have the record group:1"):
        Facts("it", items, Pseudonyms())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Anna called", "somebody called"),
        ("Anna Ek called", "person 2 called"),
        ("Annas deputy", "somebody's deputy"),
        ("Price list downloaded in May", "person 4 list downloaded in person 3"),
        ("order 12345678", "order (number)"),
    ],
)
def test_people_read_what_the_record_says_and_a_model_nobodys_name(text: str, told: str) -> None:
    known = Pseudonyms()
    names = [("Anna", "Svensson"), ("Anna", "Ek"), ("Grant", "May"), ("Will", "Price")]
    for number, (first, last) in enumerate(names, start=1):
        known.person(number, f"p-{number}", {"first_name": first, "last_name": last})
    fact = Fact("event:1", known.whose("person 2") + ": " + known.hide(text))
    assert fact.text == f"Anna Ek: {text}"
    assert fact.told == f"person 2: {told}"


def test_what_a_record_is_about_is_told_where_its_words_do_not() -> None:
    about = frozenset(("account 5",))
    told = as_data([Fact("a", "account 5 left", about=about), Fact("b", "left", about=about)])
    assert told == [
        {"record": "a", "text": "account 5 left"},
        {"record": "b", "text": "left", "about": ["account 5"]},
    ]


def test_phrases_stay_two_texts_however_they_are_put_together() -> None:
    who = Pseudonyms().person(12, "p-12", {"first_name": "Pia"})
    said = joined(", ", ["so", who, "by " + who + "!"])
    assert (said.text, said.told) == ("so, Pia, by Pia!", "so, person 12, by person 12!")
    assert phrase(said) is said
    with pytest.raises(TypeError, match="put it together with"):
        f"{who}"
