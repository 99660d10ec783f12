"""Sentences that cite records: of what is known alone, plain, and with names only for people."""

import pytest

from caravan.reports.cited import Sentence, named, refusal, refusal_of_missing
from caravan.reports.facts import Fact
from caravan.reports.pseudonyms import Pseudonyms

RECORDS = {
    "event:1": Fact("event:1", "person 12: visited /price", about=frozenset(("account 5",))),
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


@pytest.mark.parametrize(
    ("text", "records", "is_fit"),
    [
        ("account 5 left because it was won.", ["step:17/3"], True),
        ("account 7 left because it was won.", ["step:17/3"], False),
        ("account 7 and account 5 are known.", ["step:17/3", "account:7"], True),
        ("Account 7 stopped.", ["step:17/3"], False),
        ("person 12 left.", ["step:17/3"], False),
    ],
)
def test_sentence_speaks_of_the_accounts_of_its_records_alone(
    known: Pseudonyms, text: str, records: list[str], is_fit: bool
) -> None:
    known.account(7, "acc-07", {"name": "Beta"})
    facts = {
        "step:17/3": Fact("step:17/3", "in grid v1: left", about=frozenset(("account 5",))),
        "account:7": Fact("account:7", known.whose("account 7") + " has 2 known people"),
    }
    assert (refusal([Sentence(text=text, records=records)], facts, known) is None) is is_fit


@pytest.mark.parametrize(
    "text",
    ["Sign in at evil.com/login now.", "See Evil.example.", "Call +46 70 123 45 67.", "call 0800-1112", "persons 1 left.", "person-12 left.",
     "Person\xa012 left.", "accounts: 7 left", "visited /other.html"],
)  # fmt: skip
def test_addresses_numbers_and_others_than_pseudonyms_are_refused(
    known: Pseudonyms, text: str
) -> None:
    facts = {"event:1": Fact("event:1", "person 12: visited /price.html and /evil.com/login")}
    assert refusal([Sentence(text=text, records=["event:1"])], facts, known)
    assert refusal_of_missing(text)
    fit = Sentence(text="person 12 (/price.html) did on 2026-03-02 at 08:00.", records=["event:1"])  # fmt: skip
    assert refusal([fit], facts, known) is None


@pytest.mark.parametrize(
    "text",
    ["account 1 was sold.", "Person 12 resigned.", "See WWW.EVIL.COM", "sold to evil.com/x", "<b>", "Ask me@x", "HTTPS://x"],
)  # fmt: skip
def test_what_is_missing_names_nobody_and_leads_nowhere(text: str) -> None:
    assert refusal_of_missing(text)


def test_what_is_missing_is_said_plainly() -> None:
    assert refusal_of_missing("No budget of 2026 is recorded, and no role of 3 people.") is None
