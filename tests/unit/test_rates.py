"""Sending rates as an operator writes them, and the buckets a message is one of."""

import pytest

from caravan.delivery.headers import mailbox
from caravan.delivery.rates import BadRates, Rates, sender, turns_of
from caravan.delivery.texts import text_message
from caravan.delivery.transport import Outgoing


def message(recipient: str, header: str = "From: news@us.example\r\n") -> Outgoing:
    content = f"Subject: x\r\n{header}\r\nFrom: nobody@body.example\r\n".encode()
    return Outgoing("bounce+1@bounces.example", recipient, "<1@us.example>", lambda: content)


TEXT = text_message("+15550100", "+46701234567", "x" * 200, "<2@us.example>", "m/1")


def buckets(text: str, one: Outgoing) -> dict[str, float]:
    rates = Rates.parse(text)
    assert rates is not None
    return {bucket.key: bucket.per_second for bucket in rates.buckets(one)}


def test_nothing_said_is_no_rate() -> None:
    assert Rates.parse(" , ") is None


def test_narrowest_bucket_comes_first_and_names_go_before_each_other() -> None:
    text = "all=50/s, from:News@us.example=20/s to:gmail.com=600/min to:*=3600/h"
    found = buckets(text, message("ann@GMAIL.com"))
    assert list(found.items()) == [("to:gmail.com", 10), ("from:news@us.example", 20), ("all", 50)]
    assert list(buckets(text, message("ann@b.example"))) == [
        "to:b.example",
        "from:news@us.example",
        "all",
    ]
    assert buckets("from:other@us.example=1/s", message("ann@b.example")) == {}
    assert buckets("from:*=1/s", message("ann@b.example")) == {"from:news@us.example": 1}


@pytest.mark.parametrize("name", [None, "Us", 'Us, "them" <x@y.example>', "Möller " * 20])
def test_sender_is_that_of_the_header_however_it_is_folded(name: str | None) -> None:
    assert sender(message("a@b.example", mailbox("From", name, "news@us.example")).content) == (
        "news@us.example"
    )


@pytest.mark.parametrize(
    "text", ["50/s", "all=50", "all=0/s", "all=-1/s", "all=1/day", "to=1/s", "all=1/s all=2/s"]
)
def test_what_is_no_rate_is_told(text: str) -> None:
    with pytest.raises(BadRates):
        Rates.parse(text)


def test_texts_have_buckets_of_their_own_and_take_a_turn_a_segment() -> None:
    """Another network, another provider: what mail may do says nothing of texts, nor the reverse."""
    text = "all=50/s from:*=5/s to:*=6/s texts=10/s texts-from:+15550100=1/s texts-from:*=2/s"
    assert list(buckets(text, TEXT).items()) == [("texts-from:+15550100", 1), ("texts", 10)]
    assert turns_of(TEXT) == 2
    assert "texts" not in buckets(text, message("ann@b.example"))
    assert turns_of(message("ann@b.example")) == 1
    assert buckets("all=50/s", TEXT) == {}
    assert buckets("texts-from:*=2/s", TEXT) == {"texts-from:+15550100": 2}
