"""Names, ids, addresses and numbers are found in a text however they are written, by whoever keeps them back or replaces them."""

import time
import unicodedata

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from caravan.campaigns.unnamed import Unnamed
from caravan.reports.names import FIELDS, Found, KnownNames, What
from caravan.reports.pseudonyms import LONGEST, Pseudonyms

ACME = {"name": "Acme", "street": "Kungsgatan 4"}
ANNIKA = {"first_name": "Annika", "last_name": "Bergström", "phone": "1234"}
BO = {"first_name": "bo", "last_name": "Li", "date_of_birth": "1980-05-04"}


@pytest.fixture
def known() -> KnownNames:
    made = KnownNames()
    made.know("a", "crm-77", ACME)
    made.know("b", "p9", ANNIKA)
    made.know("c", "12", BO)
    made.know("e", "tanaka", {"last_name": "田中", "first_name": "민수"})
    made.know("f", "somchai", {"first_name": "สมชาย"})
    made.know("d", "2026", {"name": "Volt GmbH & Co. KG"})
    return made


@pytest.mark.parametrize(
    ("text", "part", "whose"),
    [
        ("Annikas deputy", "Annikas", "b"), ("ANNIKA's deputy", "ANNIKA", "b"), ("Bergströms ask", "Bergströms", "b"),
        ("BERGSTROM", "BERGSTROM", "b"), ("bergstro\u0308m, too", "bergstro\u0308m", "b"), ("Anni\u200bka", "Anni\u200bka", "b"),
        ("An\u00adni\ufe0fka", "An\u00adni\ufe0fka", "b"), ("Ａｎｎｉｋａ", "Ａｎｎｉｋａ", "b"), ("Annika  bergström", "Annika  bergström", "b"),
        ("dial 1234", "1234", "b"), ("crm-77 called", "crm-77", "a"), ("CRM 77", "CRM 77", "a"), ("by p9", "p9", "b"),
        ("at kungsgatan 4", "kungsgatan 4", "a"), ("Kungsgatan 4s", "Kungsgatan 4s", "a"), ("acme_annual", "acme", "a"), ("Volts ask", "Volts", "d"),
        ("volt gmbh", "volt", "d"), ("Li, li", "Li", "c"), ("bo", "bo", "c"), ("BOs", "BOs", "c"),
        ("born 1980-05-04", "1980-05-04", "c"), ("in 2026", "2026", "d"),
        ("昨日田中さんが来た", "田中", "e"), ("어제 민수가", "민수", "e"), ("คุณสมชายมา", "สมชาย", "f"),
    ],
)  # fmt: skip
def test_names_are_found_as_people_write_them(
    known: KnownNames, text: str, part: str, whose: str
) -> None:
    [found, *_] = known.found(text)
    assert (text[found.start : found.end], found.whose) == (part, whose)


@pytest.mark.parametrize(
    "text",
    ["market", "Annie", "Bergtor", "Kungsgatan 5", "12 of 30", "li", "Pianist", "on 2026-03-02 08:00", "4911, 4931", "e.g. this", "b", "77", "Boss"],
)  # fmt: skip
def test_what_is_nobodys_is_not(known: KnownNames, text: str) -> None:
    assert known.found(text) == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("see evil.example.", [("evil.example", What.host)]),
        ("acme.example", [("acme.example", What.host)]),
        ("Energy/acme.example/x", [("acme.example", What.host)]),
        ("https://us.example/price.html?by=annika#x", [("https://us.example", What.host), ("?by=annika#x", What.query)]),
        ("https://us.example/annika/08-1234567/a@b.c", [
            ("https://us.example", What.host), ("annika", What.name), ("08-1234567", What.number), ("a@b.c", What.mail),
        ]),
        ("mail\u200b me@else\u200bwhere.example", [("me@else\u200bwhere.example", What.mail)]),
        ("www.x", [("www.x", What.host)]), ("1://x", [("://x", What.host)]), ("@annika", [("@annika", What.mail)]),
        ("(08) 123-45-67", [("08) 123-45-67", What.number)]), ("+46 70 123 45 67!", [("+46 70 123 45 67", What.number)]),
    ],
)  # fmt: skip
def test_what_reaches_somebody_is_found_whoever_it_is(
    known: KnownNames, text: str, parts: list[tuple[str, What]]
) -> None:
    assert [(text[one.start : one.end], one.what) for one in known.found(text)] == parts


#: letters that are spelt, with nothing that a person does not see
LETTERS = st.from_regex(r"[^\W\d_]{3,9}([ '-][^\W\d_]{3,9}){0,2}", fullmatch=True)
UNSEEN = st.text(st.sampled_from("\u00ad\u034f\u200b\u200c\u200d\u2060\ufe0f\ufeff\u202e\u2066\U000e0061"), max_size=2)  # fmt: skip


@st.composite
def written(draw: st.DrawFn, name: str) -> str:
    """A name as somebody may write it: in another case, decomposed, with what nobody sees in it."""
    cased = draw(st.sampled_from([name, name.upper(), name.lower(), name.title()]))
    form = draw(st.sampled_from(["NFC", "NFD"]))
    return "".join(one + draw(UNSEEN) for one in unicodedata.normalize(form, cased))


@given(data=st.data(), name=LETTERS, field=st.sampled_from([*FIELDS, "id"]))
def test_a_known_name_is_neither_told_nor_left_wherever_it_stands(
    data: st.DataObject, name: str, field: str
) -> None:
    """One rule, whoever asks: a text is kept back whole, or told with somebody's pseudonym in place of the name."""
    outside_id, attributes = (name, {}) if field == "id" else ("crm-0", {field: name})
    before = data.draw(st.sampled_from(["", "the ", "deputy of ", "x, "]))
    behind = data.draw(st.sampled_from(["", "s", "'s", " and others", ", y"]))
    text = before + data.draw(written(name)) + behind
    assume(text.casefold().count(name.casefold()) <= 1)
    assert Unnamed([(outside_id, attributes)])(text) is None
    pseudonyms = Pseudonyms()
    pseudonyms.person(7, outside_id, attributes)
    owned = "'s" if behind in ("s", "'s") else behind
    unspaced = f"{before}person 7 {behind}"  # of scripts in which nothing is said of whom
    assert pseudonyms.hide(text).told in (f"{before}person 7{owned}", unspaced)


@given(st.text(), st.lists(LETTERS, max_size=3))
def test_parts_that_are_found_lie_behind_one_another(text: str, names: list[str]) -> None:
    known = KnownNames()
    for name in names:
        known.know(name, name, {"last_name": name})
    found = known.found(" ".join([text, *names, text]))
    assert len(found) >= bool(names)
    ends = [0, *(one.end for one in found)]
    assert all(isinstance(one, Found) and end <= one.start < one.end for end, one in zip(ends, found, strict=False))  # fmt: skip


PIECES = ["a", "a.", "1-", "1 ", "@", "://", "www.", "/", "ab", "a b ", "Word ", "Words ", "\u33c2", "\ufdfa", "\u200b", "\u0301", "account 5", "김", " ", "?"]  # fmt: skip


@pytest.fixture(scope="module")
def much_called() -> tuple[Pseudonyms, Unnamed]:
    """Those whose names are as long as anything."""
    long = [{"last_name": one * 1500, "name": one * 1500, "domain": one * 1500} for one in ("Word ", "a b ", "a.", "1-", "김", "ab ")]  # fmt: skip
    short = [{"first_name": "Word " * number, "last_name": "a b " * number} for number in range(40)]
    records = [(f"p-{number}", fields) for number, fields in enumerate([*long, *short])]
    pseudonyms = Pseudonyms()
    for number, one in enumerate(records):
        pseudonyms.person(number, *one)
    return pseudonyms, Unnamed(records)


@settings(deadline=None, max_examples=60)
@example(pieces=["\u33c2"], length=1_990)  # which is read as a.m.
@example(pieces=["김"], length=1_990)
@given(
    pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=3),
    length=st.sampled_from([1_990, 64_000]),
)
def test_no_text_takes_long_however_it_is_made(
    much_called: tuple[Pseudonyms, Unnamed], pieces: list[str], length: int
) -> None:
    text = ("".join(pieces) * (length // len("".join(pieces))))[:length]
    # asked again where it was slow: the collector of garbage may have come between
    assert any(_took(*much_called, text) < 0.8 for _ in range(3))


def _took(pseudonyms: Pseudonyms, unnamed: Unnamed, text: str) -> float:
    """Of the processor's time, of this thread alone."""
    began = time.thread_time()
    said = pseudonyms.hide(text)
    unnamed(text)
    took = time.thread_time() - began
    assert max(len(said.told), len(said.text)) <= LONGEST
    return took
