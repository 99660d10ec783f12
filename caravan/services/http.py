"""The one way out to services: JSON over HTTP, to allowed hosts, bounded in size and time.

No redirect is followed, no proxy of the environment is used, no answer is unpacked (a small packed
one can be a huge one), and a connection goes to the very address that was checked.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from caravan.services.errors import Refused, Unreachable
from caravan.services.hosts import AllowedHosts, Resolve, checked_address, resolve_host

#: seconds for a whole exchange, however slowly it trickles
LONGEST = 30.0
#: bytes of an answer
LARGEST = 1_000_000


@dataclass(frozen=True)
class Answer:
    """What a service said at once."""

    status: int
    body: Any  # parsed JSON; None where it is none


class GuardedTransport(httpx.AsyncBaseTransport):
    """Connects to addresses that were checked, under the name that was asked for.

    Each name has connections of its own: one that was opened, and whose certificate was checked, for another
    name at the same address is not used.
    """

    def __init__(
        self,
        allowed: AllowedHosts,
        resolve: Resolve,
        connections: Callable[[], httpx.AsyncBaseTransport],
    ) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._connections = connections
        self._of_name: dict[str, httpx.AsyncBaseTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        address = await checked_address(self._allowed, host, port, self._resolve)
        # the Host header was set from the name when the request was built; TLS asks for it, and checks
        # the certificate against it
        extensions = {**request.extensions, "sni_hostname": host}
        if host not in self._of_name:
            self._of_name[host] = self._connections()
        return await self._of_name[host].handle_async_request(
            httpx.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions=extensions,
            )
        )

    async def aclose(self) -> None:
        for one in self._of_name.values():
            await one.aclose()


class ServiceHttp:
    """JSON requests to services."""

    def __init__(
        self,
        allowed: AllowedHosts,
        *,
        resolve: Resolve = resolve_host,
        verify: Any = True,
        longest: float = LONGEST,
        largest: int = LARGEST,
    ) -> None:
        self._longest = longest
        self._largest = largest

        def connections() -> httpx.AsyncBaseTransport:
            return httpx.AsyncHTTPTransport(verify=verify, trust_env=False, retries=0)

        self._client = httpx.AsyncClient(
            transport=GuardedTransport(allowed, resolve, connections),
            follow_redirects=False,
            trust_env=False,
            timeout=longest,
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": "caravan",
            },
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def get(self, url: str, **how: Any) -> Answer:
        return await self.request("GET", url, **how)

    async def post(self, url: str, **how: Any) -> Answer:
        return await self.request("POST", url, **how)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, one answer.

        Raises:
            OperatorsTurn: the host is not allowed.
            Unreachable: no answer could be had.
            Refused: a redirect, or an answer that is too large.
        """
        try:
            async with (
                asyncio.timeout(self._longest),
                self._client.stream(
                    method, url, headers=headers, params=query, json=body, data=form
                ) as response,
            ):
                return await self._read(response)
        except (httpx.TransportError, TimeoutError, OSError) as error:
            told = str(error) or type(error).__name__
            raise Unreachable(f"No answer from {_where(url)}: {told}") from None
        except (httpx.InvalidURL, httpx.HTTPError, ValueError) as error:
            raise Refused(f"{_where(url)} cannot be asked: {type(error).__name__}") from None

    async def _read(self, response: httpx.Response) -> Answer:
        if response.is_redirect or 300 <= response.status_code < 400:
            raise Refused(
                f"{_where(str(response.request.url))} answers with a redirect; none is followed"
            )
        content = bytearray()
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > self._largest:
                raise Refused(f"the answer is larger than {self._largest} bytes")
        packed = response.headers.get("content-encoding", "identity").lower() != "identity"
        return Answer(response.status_code, None if packed else _parsed(bytes(content)))


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _where(url: str) -> str:
    """The host of an address: paths and queries may hold what nobody should read."""
    try:
        return httpx.URL(url).host or "the service"
    except httpx.InvalidURL:
        return "the service"
