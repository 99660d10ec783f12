"""Sentences that cite records: of what is known alone, plain, and with names only for people."""

import pytest

from caravan.reports.cited import Sentence, is_prose, named, refusal
from caravan.reports.facts import Fact
from caravan.reports.pseudonyms import Pseudonyms

RECORDS = {
    "event:1": Fact("event:1", "person 12: visited /price"),
    "event:2": Fact("event:2", "person 13: visited /support"),
}


@pytest.fixture
def known() -> Pseudonyms:
    made = Pseudonyms()
    made.account(5, "acc-05", {"name": "Acme Power"})
    made.person(12, "p-12", {"first_name": "Pia", "last_name": "Ek"})
    made.person(13, "p-13", {})
    return made


@pytest.mark.parametrize(
    ("text", "records", "why"),
    [
        ("person 12 of account 5 is keen.", ["event:1"], None),
        ("Person 12 and person 13 are.", ["event:1", "event:2"], None),
        ("person 12 is keen.", ["event:3"], "cites a record"),
        ("person 12 is keen.", ["event:1", "event:3"], "cites a record"),
        ("person 13 is keen.", ["event:1"], "that the records it cites do not"),
        ("Of account 99 it is said.", ["event:1"], "that the data does not have"),
        ("See https://evil.example", ["event:1"], "mark-up"),
        ("See WWW.evil.example", ["event:1"], "mark-up"),
        ("<b>keen</b>", ["event:1"], "mark-up"),
        ("keen\x1b[2J", ["event:1"], "mark-up"),
        ("keen\u202e", ["event:1"], "mark-up"),
        ("keen\nand", ["event:1"], "mark-up"),
        ("12\xa0% of می\u200cخواهم", ["event:1"], None),  # as it is spelt
    ],
)
def test_sentence_is_of_records_and_plain(
    known: Pseudonyms, text: str, records: list[str], why: str | None
) -> None:
    fit = Sentence(text="It is known.", records=["event:2"])
    found = refusal([fit, Sentence(text=text, records=records)], RECORDS, known)
    if why is None:
        assert found is None
    else:
        assert found is not None
        assert found.startswith("sentence 2 ")
        assert why in found
        assert text not in found


def test_names_are_for_people(known: Pseudonyms) -> None:
    told = named([Sentence(text="person 12 of account 5.", records=["event:1"])], known)
    assert [(one.text, one.records) for one in told] == [("Pia Ek of Acme Power.", ["event:1"])]


def test_prose_is_read_as_it_stands() -> None:
    assert is_prose("No budget of account 5 is recorded.")
    assert not is_prose("Ask HTTPS://evil.example or me@x")
