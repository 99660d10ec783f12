"""Return paths: an address stands for one message of one subscription, and nobody can make one up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caravan.delivery.return_path import PREFIX, Returned, ReturnPath
from caravan.journeys.addresses import is_mailable

PATH = ReturnPath("bounces.us.example", ["k" * 32])
OURS = ("123-ABC-456", "other")
numbers = st.integers(1, 2**63 - 1)
names = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9-]{0,50}", fullmatch=True)


@given(numbers, names)
def test_address_is_mailable_and_read_back_whatever_case_it_comes_in(
    number: int, munchkin: str
) -> None:
    address = PATH.address(munchkin, number)
    assert is_mailable(address)
    assert len(address.partition("@")[0]) <= 64
    for written in (address, address.upper(), f"<{address}>"):
        assert PATH.read(written, ["nobody", munchkin]) == Returned(munchkin, number)


@given(numbers, numbers)
def test_two_messages_never_share_an_address(one: int, other: int) -> None:
    same = PATH.address(OURS[0], one) == PATH.address(OURS[0], other)
    assert same == (one == other)


def test_other_subscription_or_key_does_not_fit() -> None:
    address = PATH.address(OURS[0], 7)
    assert PATH.read(address, OURS[1:]) is None
    assert ReturnPath(PATH.domain, ["other" * 8]).read(address, OURS) is None


def test_mail_sent_before_the_key_changed_is_still_understood() -> None:
    later = ReturnPath(PATH.domain, ["new" * 12, *PATH.keys])
    assert later.read(PATH.address(OURS[0], 7), OURS) == Returned(OURS[0], 7)
    assert later.address(OURS[0], 7) != PATH.address(OURS[0], 7)


@given(st.integers(0, 31), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_token_that_was_tampered_with_is_none_of_ours(place: int, letter: str) -> None:
    address = PATH.address(OURS[0], 7)
    at = len(PREFIX) + place
    if address[at] != letter:
        assert PATH.read(address[:at] + letter + address[at + 1 :], OURS) is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "@",
        "bounce+@bounces.us.example",
        "bounce+aaaa@bounces.us.example",
        "bounce+ßßßßßßßß@bounces.us.example",
        "bounce+" + "a" * 32 + "@bounces.us.example",
        "news@us.example",
        PATH.address(OURS[0], 7).replace("us.example", "them.example"),
        PATH.address(OURS[0], 7).replace("bounce+", "news+"),
    ],
)
def test_anything_else_is_none_of_ours(address: str) -> None:
    assert PATH.read(address, OURS) is None
