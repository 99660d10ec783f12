"""Sending rates as an operator writes them, and the buckets a message is one of."""

import pytest

from caravan.delivery.headers import mailbox
from caravan.delivery.rates import BadRates, Rates, sender
from caravan.delivery.transport import Outgoing


def message(recipient: str, header: str = "From: news@us.example\r\n") -> Outgoing:
    content = f"Subject: x\r\n{header}\r\nFrom: nobody@body.example\r\n".encode()
    return Outgoing("bounce+1@bounces.example", recipient, "<1@us.example>", lambda: content)


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
