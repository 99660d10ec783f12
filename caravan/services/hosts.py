"""Which hosts may be called: those the operator has named, at addresses that are public.

A host is checked by name and by every address it resolves to, and the address that was checked is the
one that is connected to, so that a name cannot be turned to another address in between. An address
that is not public (loopback, a private network, a cloud's metadata) is reached only where the operator
has named that address, or a network it lies in, itself.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from caravan.services.errors import OperatorsTurn, Unreachable

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

HTTPS = 443
#: a name that always means this machine (RFC 6761 §6.3)
LOCALHOST = "localhost"
#: IPv4 addresses written as IPv6 by translators (RFC 6052)
_TRANSLATED = IPv6Network("64:ff9b::/96")


class BadHosts(ValueError):
    """The setting cannot be read; the message says what it looks like."""


@dataclass(frozen=True)
class AllowedHosts:
    """The hosts a worker may call, by name, address or network; each at one port."""

    names: frozenset[tuple[str, int]] = frozenset()
    networks: tuple[tuple[IPv4Network | IPv6Network, int | None], ...] = field(default=())

    @classmethod
    def parse(cls, text: str) -> "AllowedHosts":
        """``scoring.example, enrich.example:8443, 127.0.0.1:9000, 10.1.0.0/16``.

        Raises:
            BadHosts: an entry is none of these.
        """
        names: set[tuple[str, int]] = set()
        networks: list[tuple[IPv4Network | IPv6Network, int | None]] = []
        for entry in filter(None, (part.strip().lower() for part in text.split(","))):
            host, port = _split(entry)
            try:
                networks.append((ip_network(host), port))
            except ValueError:
                if "/" in host or "*" in host or not host.isascii():
                    raise BadHosts(
                        f"{entry!r} is not a host: name it as host, host:port, or an address"
                    ) from None
                names.add((host.rstrip("."), port or HTTPS))
        return cls(frozenset(names), tuple(networks))

    def knows(self, host: str, port: int) -> bool:
        """Whether a host was named, whatever its addresses."""
        literal = _literal(host)
        if literal is not None:
            return self.allows_address(literal, port, named=True)
        return (host.lower().rstrip("."), port) in self.names

    def allows_address(self, address: Address, port: int, *, named: bool = False) -> bool:
        """Whether an address may be connected to.

        Args:
            address: one that a host resolved to, or was written as.
            port: of the connection.
            named: it was written in place of a name, so it must be named itself, public or not.
        """
        meant = _meant(address)
        if any(
            meant in network and allowed in (None, port)
            for network, allowed in self.networks
            if network.version == meant.version
        ):
            return True
        return not named and is_public(meant)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the open internet."""
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
    )


async def resolve_host(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as the system resolves it."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


async def checked_address(
    allowed: AllowedHosts, host: str, port: int, resolve: Resolve = resolve_host
) -> str:
    """The address to connect to for a host.

    Raises:
        OperatorsTurn: the host, or one of its addresses, is not allowed.
        Unreachable: it has no address.
    """
    if not allowed.knows(host, port):
        raise OperatorsTurn(
            f"The host {host}:{port} is not among SERVICE_HOSTS: add it to let services be called there"
        )
    literal = _literal(host)
    if literal is not None:
        return str(literal)
    try:
        addresses = await resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"The host {host} has no address: {error}") from None
    if not addresses:
        raise Unreachable(f"The host {host} has no address")
    for address in addresses:
        one = ip_address(address.partition("%")[0])
        if host.lower() == LOCALHOST and _meant(one).is_loopback:
            continue
        if not allowed.allows_address(one, port):
            raise OperatorsTurn(
                f"The host {host} is at {one}, which is not a public address: "
                "name that address in SERVICE_HOSTS too to let it be called"
            )
    return addresses[0]


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, or itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _TRANSLATED:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _split(entry: str) -> tuple[str, int | None]:
    """An entry's host and port; IPv6 addresses with a port stand in brackets."""
    host, colon, port = entry.rpartition(":")
    if entry.startswith("["):
        inner, bracket, rest = entry[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise BadHosts(f"{entry!r} is not a host: an IPv6 address stands as [::1]:9000")
        host, port, colon = inner, rest[1:], rest[:1]
    elif not colon or entry.count(":") > 1:
        return entry, None
    if not colon:
        return host, None
    if not port.isdecimal() or not 0 < int(port) < 65536 or not host:
        raise BadHosts(f"{entry!r} is not a host: name it as host or host:port")
    return host, int(port)
