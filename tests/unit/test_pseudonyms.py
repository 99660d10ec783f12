"""Speaking of people without saying who they are: what is hidden, what comes back, and what a text cannot do."""

import pytest

from caravan.reports.pseudonyms import KEPT_BACK, LONGEST, LOOKED_AT, Pseudonyms


@pytest.fixture
def known() -> Pseudonyms:
    made = Pseudonyms()
    made.account(5, "acc-05", {"name": "Acme Power", "domain": "acme.example"})
    made.account(6, "acc-06", {"name": "Volt GmbH"})
    made.person(
        12,
        "p-12",
        {
            "first_name": "Pia",
            "last_name": "Ek",
            "email": "pia@acme.example",
            "phone": "0812345678",
        },
    )
    made.person(13, "p-13", {})
    return made


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Pia Ek of ACME POWER asked", "person 12 of account 5 asked"),
        ("call PIA at 08 123 45 678", "call person 12 at (number)"),
        ("mail pia@acme.example or other@x.example", "mail person 12 or (address)"),
        ("https://us.example/price?email=pia@acme.example", "/price"),
        ("www.evil.example", "(address)"),
        ("Pianist of Acme Powerful", "Pianist of Acme Powerful"),
        ("on 2026-03-02 at noon", "on 2026-03-02 at noon"),
        ("Ek asked, ek did not", "person 12 asked, ek did not"),
        ("Grid at Volt", "Grid at account 6"),
        ("Annikas or Pias deputy", "Annikas or person 12's deputy"),
        ("昨日Acme_Powerさん", "昨日 account 5 さん"), ("x_pia_ek", "x_ person 12"),
        ("acme.example", "account 5"), ("see evil.example", "see (address)"), ("acme.elsewhere.example", "(address)"),
        ("person 13 said so", "person-13 said so"), ("person\xa0 13 said so", "person-13 said so"),
        ("x" * 150 + " Pia Ek asks", "x" * 150 + " …"),  # and not somebody whose number begins so
        ("a\x1b[31mb\u202ec\nd", "a [31mbc d"),
        ("x" * 500, "x" * (LONGEST - 1) + "…"),
    ],
)  # fmt: skip
def test_texts_are_told_without_who_is_known(known: Pseudonyms, text: str, told: str) -> None:
    assert known.hide(text).told == told


def test_names_are_put_back_and_strangers_stay(known: Pseudonyms) -> None:
    assert known.name("Person 12 and person 13 of account 5, person 99") == (
        "Pia Ek and p-13 of Acme Power, person 99"
    )
    assert list(known.strangers("person 12, person 99")) == ["person 99"]


def test_texts_are_kept_back_where_not_everybody_is_known(known: Pseudonyms) -> None:
    known.not_everybody()
    said = known.hide("Pia and Uno met")
    assert (said.text, said.told) == ("Pia and Uno met", KEPT_BACK)


@pytest.mark.parametrize("before", range(LOOKED_AT - 8, LOOKED_AT + 2))
def test_no_half_of_a_name_is_told_where_a_text_is_cut(known: Pseudonyms, before: int) -> None:
    """Whatever stands before it is told in few characters, or in none."""
    for filler in (" ", "x@" + "y" * 398 + " "):
        text = (filler * before)[:before] + " Acme Power"
        assert "Ac" not in known.hide(text).told


def test_a_longer_name_than_are_known_in_one_is_known_in_parts() -> None:
    known = Pseudonyms()
    name = " ".join(f"Word{number}" for number in range(60))
    known.account(5, "acc-05", {"name": name})
    assert "Word" not in known.hide(f"by {name} itself").told
