"""Which hosts may be called, and which address is connected to."""

from collections.abc import Sequence
from ipaddress import IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caravan.services.errors import OperatorsTurn, Unreachable
from caravan.services.hosts import AllowedHosts, BadHosts, checked_address, is_public

ALLOWED = (
    "scoring.example, enrich.example:8443, 127.0.0.1:9000, [::1]:9001, 10.1.0.0/16, localhost:9002"
)


def resolving(*addresses: str) -> object:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


async def reached(host: str, port: int, *addresses: str, allowed: str = ALLOWED) -> str | None:
    try:
        return await checked_address(
            AllowedHosts.parse(allowed),
            host,
            port,
            resolving(*addresses),  # type: ignore[arg-type]
        )
    except OperatorsTurn:
        return None


@pytest.mark.parametrize(
    ("host", "port", "addresses", "connects_to"),
    [
        ("scoring.example", 443, ["93.184.216.34"], "93.184.216.34"),
        ("SCORING.example.", 443, ["93.184.216.34"], "93.184.216.34"),
        ("scoring.example", 8443, ["93.184.216.34"], None),  # another port
        ("enrich.example", 8443, ["2606:2800:220:1::1"], "2606:2800:220:1::1"),
        ("evil.example", 443, ["93.184.216.34"], None),
        ("scoring.example.evil.example", 443, ["93.184.216.34"], None),
        ("scoring.example", 443, ["127.0.0.1"], None),
        ("scoring.example", 443, ["192.168.1.1"], None),
        ("scoring.example", 443, ["169.254.169.254"], None),  # a cloud's metadata
        ("scoring.example", 443, ["93.184.216.34", "10.9.9.9"], None),  # one of them is private
        ("scoring.example", 443, ["::ffff:127.0.0.1"], None),
        ("scoring.example", 443, ["64:ff9b::7f00:1"], None),
        ("scoring.example", 443, ["fd00::1"], None),
        ("scoring.example", 443, ["100.64.0.1"], None),
        ("scoring.example", 443, ["0.0.0.0"], None),
        ("scoring.example", 443, ["10.1.2.3"], "10.1.2.3"),  # the operator named that network
        ("scoring.example", 443, ["10.2.2.3"], None),
        ("127.0.0.1", 9000, [], "127.0.0.1"),
        ("127.0.0.1", 9001, [], None),
        ("127.0.0.2", 9000, [], None),
        ("::1", 9001, [], "::1"),
        ("93.184.216.34", 443, [], None),  # public, but nobody named it
        ("2130706433", 9000, ["127.0.0.1"], None),  # 127.0.0.1 as one number
        ("127.1", 9000, ["127.0.0.1"], None),
        ("localhost", 9002, ["127.0.0.1"], "127.0.0.1"),
        ("localhost", 9002, ["10.9.9.9"], None),
        ("localhost", 443, ["127.0.0.1"], None),
    ],
)
async def test_a_host_is_called_where_the_operator_allows_it_alone(
    host: str, port: int, addresses: list[str], connects_to: str | None
) -> None:
    assert await reached(host, port, *addresses) == connects_to


async def test_a_name_without_an_address_is_out_of_reach() -> None:
    with pytest.raises(Unreachable):
        await reached("scoring.example", 443)


async def test_nothing_is_allowed_by_default() -> None:
    assert await reached("scoring.example", 443, "93.184.216.34", allowed="") is None


def translated(address: object) -> bool:
    """Whether an IPv6 address stands for an IPv4 one, which is then what counts."""
    return isinstance(address, IPv6Address) and any(
        address in IPv6Network(network)
        for network in ("::ffff:0:0/96", "64:ff9b::/96", "2002::/16")
    )


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_no_address_that_is_not_public_is_reached_through_a_name(address: object) -> None:
    one = ip_address(str(address))
    allowed = AllowedHosts.parse("scoring.example").allows_address(one, 443)
    assert not allowed or is_public(one) or translated(one)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_the_dress_of_ipv6_is_what_it_is(address: object) -> None:
    number = int(ip_address(str(address)))
    hosts = AllowedHosts.parse("scoring.example")
    public = hosts.allows_address(ip_address(str(address)), 443)
    for prefix, shift in ((0xFFFF << 32, 0), (0x64FF9B << 96, 0), (0x2002 << 112, 80)):
        dressed = IPv6Address(prefix | number << shift)
        assert hosts.allows_address(dressed, 443) == public


@pytest.mark.parametrize(
    "text",
    ["https://a.example", "a.example/x", "*.example", "a:b", "a:0", "a:99999", ":443", "[::1"],
)
def test_a_setting_that_names_no_host_is_refused(text: str) -> None:
    with pytest.raises(BadHosts):
        AllowedHosts.parse(text)
