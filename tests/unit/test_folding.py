"""What records that are one say together: later wins, permission is narrow, and order does not matter."""

from hypothesis import given
from hypothesis import strategies as st

from caravan.platform.folding import ALONE, DELETED, LATEST, STANDS, WITHHELD, Word, alone, fold
from caravan.platform.matching import (
    Clusters,
    Match,
    Rule,
    key_of,
    normalised_domain,
    normalised_email,
    normalised_name,
    parts_of,
)
from caravan.platform.stamps import raised

values = st.sampled_from([None, True, False])
words = st.lists(
    st.builds(
        lambda name, fields, at: Word(
            name,
            {field: value for field, value in fields.items() if value is not None},
            dict.fromkeys(fields, f"2026-01-0{at}"),
            "2026-02-01",
        ),
        st.sampled_from("abcd"),
        st.dictionaries(st.sampled_from(["unsubscribed", "email_consent", "sms_consent"]), values),
        st.integers(1, 9),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda word: word.name,
)


def word(name: str, at: str, **fields: object) -> Word:
    return Word(name, fields, dict.fromkeys(fields, at))


def test_later_word_wins_field_by_field_and_names_decide_ties() -> None:
    told = fold([word("a", "2", city="Oslo", title="x"), word("b", "1", city="Lund", phone="1")])
    assert told.fields == {"city": "Oslo", "title": "x", "phone": "1"}
    assert {name: one.why for name, one in told.winners.items()} == {
        "city": LATEST, "title": ALONE, "phone": ALONE,
    }  # fmt: skip
    tied = [word("a", "1", city="Oslo"), word("b", "1", city="Lund")]
    assert fold(tied).fields == fold(tied[::-1]).fields == {"city": "Lund"}


@given(words, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_no_permission_is_looser_than_any_of_them(words, random) -> None:  # type: ignore[no-untyped-def]
    told = fold(words)
    shuffled = list(words)
    random.shuffle(shuffled)
    again = fold(shuffled)
    assert (again.fields, again.stamps) == (told.fields, told.stamps)
    for one in words:
        assert not one.fields.get("unsubscribed") or told.fields["unsubscribed"] is True
        assert one.fields.get("email_consent") is not False or told.fields["email_consent"] is False
        assert one.fields.get("sms_consent") is not False or not told.fields.get("sms_consent")


def test_opt_out_stands_until_the_person_says_otherwise_of_both() -> None:
    out = Word("a", {"unsubscribed": True}, {"unsubscribed": "1"}, since="5")
    other = Word("b", {"unsubscribed": False}, {"unsubscribed": "4"}, since="5")
    told = fold([out, other])
    assert (told.fields["unsubscribed"], told.winners["unsubscribed"].why) == (True, STANDS)
    # with a stamp that nothing said before can overrule, for the stores take words by their stamps
    assert told.stamps["unsubscribed"] == "5"
    assert fold([out, other], word("", "4", unsubscribed=False)).fields["unsubscribed"] is True
    assert fold([out, other], word("", "6", unsubscribed=False)).fields["unsubscribed"] is False


def test_record_that_parts_keeps_the_stamps_of_what_it_said_itself() -> None:
    own = Word("a", {"city": "Oslo", "unsubscribed": True}, {"city": "1", "unsubscribed": "2"}, "5")
    assert alone(own, None) is own
    # what was said of all of them later is its own word from now on; an opt-out stood against what was said before
    parted = alone(own, word("", "3", city="Lund", unsubscribed=False))
    assert parted.fields == {"city": "Lund", "unsubscribed": True}
    assert parted.stamps == {"city": "3", "unsubscribed": "2"}


@given(words, words)
def test_record_that_parts_says_what_was_folded_for_it(
    some: list[Word], others: list[Word]
) -> None:
    own, together = some[0], others[0]
    assert fold([alone(own, together)]).fields == fold([own], together).fields


def test_yes_to_texts_goes_with_the_number_it_was_said_for() -> None:
    yes = word("a", "1", sms_consent=True, mobile_phone="+1")
    told = fold([yes, word("b", "2", mobile_phone="+2")])
    assert told.fields == {"mobile_phone": "+2"}
    assert told.winners["sms_consent"].why == WITHHELD
    assert fold([yes, word("b", "2", city="Oslo")]).fields["sms_consent"] is True


def test_field_that_goes_back_is_said_now() -> None:
    before, stamps = {"a": 1, "b": 2}, {"a": "5", "b": "5"}
    assert raised(before, stamps, {"a": 0, "b": 2}, {"a": "3", "b": "3"}, "9") == {"a": "9", "b": "5"}  # fmt: skip
    assert raised(before, stamps, {"b": 2}, {"b": "6"}, "9") == {"a": "9", "b": "6"}


def test_what_is_compared() -> None:
    assert normalised_email(" Ada@ÄCME.example ") == "ada@xn--cme-pla.example"
    assert normalised_email("nobody") == ""
    assert normalised_domain("https://www.Acme.example:8080/se?x=1") == "acme.example"
    assert normalised_domain("localhost") == ""
    assert normalised_name("  MÜLLER &  Co.") == normalised_name("Müller, Co") == "müller co"
    assert normalised_name("Acme Ltd") != normalised_name("Acme AB")
    both = Rule("r", ("domain", "name"))
    assert key_of(both, {"domain": "a.example", "name": ""}) is None
    assert key_of(both, {"domain": "www.a.example", "name": "A."}) == key_of(both, {"domain": "a.example", "name": "a"})  # fmt: skip


def test_lowest_number_stands_for_all_and_who_was_taken_apart_stays_apart() -> None:
    clusters = Clusters({4: frozenset({4, 7})}, frozenset({(2, 7)}))
    made = clusters.join([Match("r", 9, 4), Match("r", 7, 2), Match("r", 9, 1)])
    assert clusters.members == {1: frozenset({1, 4, 7, 9})}
    assert [(one.record_id, one.like_id) for one in made] == [(9, 1), (9, 4)]


def test_what_is_left_holds_together_by_the_values_it_shares() -> None:
    edges = [Match("mail", 2, 1, "x"), Match("mail", 3, 1, "x"), Match("name", 4, 1, "y")]
    assert parts_of([2, 3, 4], edges) == [[2, 3], [4]]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 9)), min_size=1, max_size=4))
def test_the_one_is_deleted_when_all_its_records_are(said: list[tuple[bool, int]]) -> None:
    own = []
    for number, (deleted, day) in enumerate(said):
        at = f"2026-01-0{day}"
        fields = {"city": "Oslo"} | ({DELETED: at} if deleted else {})
        own.append(Word(str(number), fields, {"city": at, DELETED: at}))
    folded = fold(own)
    assert (DELETED in folded.fields) is all(deleted for deleted, _ in said)
    assert folded.stamps[DELETED] == f"2026-01-0{max(day for _, day in said)}"
    assert folded.fields["city"] == "Oslo"
    assert DELETED not in folded.winners
