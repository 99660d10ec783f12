"""ALLOW_RECIPIENTS: these domains and addresses, and nobody who merely looks like them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caravan.delivery.allowed_recipients import AllowedRecipients, BadRecipients

US = AllowedRecipients.parse("@us.example, person@x.example  @münchen.example,@straße.example")


@pytest.mark.parametrize(
    "address",
    [
        "a@us.example",
        "A.b+c@US.Example",
        "person@x.example",
        "Person@X.EXAMPLE",
        "a@münchen.example",
        "a@MU\u0308NCHEN.example",  # the same letter in two
        "a@xn--mnchen-3ya.example",
        "a@XN--MNCHEN-3YA.example",
        "a@xn--strae-oqa.example",
    ],
)
def test_these_are_allowed(address: str) -> None:
    assert US.allows(address)


@pytest.mark.parametrize(
    "address",
    [
        "a@sub.us.example",
        "a@us.example.evil.example",
        "a@notus.example",
        "us.example",
        "@us.example",
        "a@us.example.",
        "other@x.example",
        "person@x.example@evil.example",
        "a@strasse.example",
        "a@muenchen.example",
        "a@us\u2024example",  # a one-dot leader
        "a@\u0443s.example",  # a Cyrillic u
        "a@xn--\u00fc.example",
        "",
    ],
)
def test_others_are_not(address: str) -> None:
    assert not US.allows(address)


def test_domain_may_be_written_as_it_goes_over_the_wire() -> None:
    wire = AllowedRecipients.parse("@xn--mnchen-3ya.example")
    assert wire.allows("a@münchen.example")


@given(
    st.from_regex(r"[a-z0-9]{1,10}", fullmatch=True), st.from_regex(r"[a-z]{1,8}", fullmatch=True)
)
def test_subdomain_is_never_implied(local: str, label: str) -> None:
    allowed = AllowedRecipients.parse("@us.example")
    assert allowed.allows(f"{local}@us.example")
    assert not allowed.allows(f"{local}@{label}.us.example")
    assert not allowed.allows(f"{local}@{label}us.example")


@pytest.mark.parametrize(
    "text",
    ["us.example", "@", "a@", "@us..example", "@us.example, nonsense", " , ", "*@us.example@x"],
)
def test_bad_value_is_refused(text: str) -> None:
    with pytest.raises(BadRecipients):
        AllowedRecipients.parse(text)
