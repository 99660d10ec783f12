"""Which strings are mail addresses, and how they stand in links."""

from email.headerregistry import Address
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caravan.delivery.addresses import mailto
from caravan.journeys.addresses import is_mailable, split_name


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example",
        "first.last+tag@sub.b-c.example",
        "o'brien@x.example",
        "åsa@bücher.example",
        "a@localhost",
        "a" * 64 + "@x.example",
    ],
)
def test_address_of_a_person_is_mailable(address: str) -> None:
    assert is_mailable(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "@b.example",
        "a@",
        "a@b@c",
        "a b@c.example",
        "a@b..example",
        ".a@b.example",
        "a.@b.example",
        "a..b@c.example",
        "a@-b.example",
        "a@b-.example",
        "a@.b",
        "a@b.",
        '"a b"@c.example',
        "a(comment)@b.example",
        "a@[127.0.0.1]",
        "<a@b.example>",
        "a,b@c.example",
        "a@b.example\r\nRCPT TO:<x@y>",
        "a@b.example> SIZE=1",
        "a\x00@b.example",
        "a\u202e@b.example",
        "a" * 65 + "@x.example",
        "å" * 33 + "@x.example",
        "a@" + "b" * 64 + ".example",
        "a@" + ".".join(["b" * 50] * 6),
        "Ann <a@b.example>",
        " a@b.example",
        "a@b.example\n",
    ],
)
def test_anything_else_is_not(address: str) -> None:
    assert not is_mailable(address)


@given(st.text(max_size=20), st.text(max_size=20))
def test_what_is_mailable_the_standard_library_reads_too(local: str, domain: str) -> None:
    address = f"{local}@{domain}"
    if is_mailable(address) and address.isascii():
        assert Address(addr_spec=address).addr_spec == address


def test_name_and_address_are_told_apart_by_the_last_bracket() -> None:
    assert split_name("a@b.example") == (None, "a@b.example")
    assert split_name(' "Ann" <a@b.example> ') == ("Ann", "a@b.example")
    assert split_name("x <evil@y.example>, <a@b.example>")[1] == "a@b.example"


def test_mailto_survives_what_an_address_may_contain() -> None:
    link = mailto("a?b&c%d#é@x.example", "unsubscribe")
    assert link.isascii()
    assert unquote(urlsplit(link).path) == "a?b&c%d#é@x.example"
    assert urlsplit(link).query == "subject=unsubscribe"
