"""The way out to services, over real sockets on loopback: what it refuses to follow, take or wait for."""

import asyncio
import gzip
import shutil
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from caravan.services.errors import OperatorsTurn, Refused, Unreachable
from caravan.services.hosts import AllowedHosts
from caravan.services.http import ServiceHttp


class Loopback:
    """Says what it was told to say to whoever connects, as it stands."""

    def __init__(self) -> None:
        self.says: list[bytes] = []
        self.pause = 0.0
        self.heard: list[bytes] = []
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self, certificate: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", 0, ssl=certificate)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heard.append(await reader.readuntil(b"\r\n\r\n"))
            for part in self.says:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(self.pause)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Loopback]:
    new = Loopback()
    await new.start()
    yield new
    await new.stop()


def out(server: Loopback, hosts: str = "127.0.0.1:{port}", **options: object) -> ServiceHttp:
    return ServiceHttp(AllowedHosts.parse(hosts.format(port=server.port)), **options)  # type: ignore[arg-type]


async def get(http: ServiceHttp, url: str) -> object:
    try:
        return await http.get(url)
    finally:
        await http.close()


async def test_an_answer_is_its_status_and_its_json(server: Loopback) -> None:
    server.says = [b'HTTP/1.1 201 Created\r\ncontent-length: 8\r\n\r\n{"a": 1}']
    answer = await get(out(server), f"http://127.0.0.1:{server.port}/x")
    assert (answer.status, answer.body) == (201, {"a": 1})  # type: ignore[attr-defined]
    assert b"accept-encoding: identity" in server.heard[0].lower()


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "307 Temporary Redirect", "304 Not Modified"]
)
async def test_no_redirect_is_followed(server: Loopback, status: str) -> None:
    target = f"http://127.0.0.1:{server.port}/elsewhere"
    server.says = [f"HTTP/1.1 {status}\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n".encode()]
    with pytest.raises(Refused, match="redirect"):
        await get(out(server), f"http://127.0.0.1:{server.port}/")
    assert len(server.heard) == 1


async def test_a_host_that_is_not_allowed_is_not_even_connected_to(server: Loopback) -> None:
    with pytest.raises(OperatorsTurn, match="SERVICE_HOSTS"):
        await get(out(server, "scoring.example"), f"http://127.0.0.1:{server.port}/")
    assert server.heard == []


async def test_a_name_is_resolved_once_and_that_address_is_connected_to(server: Loopback) -> None:
    asked = 0

    async def rebinding(_host: str, _port: int) -> Sequence[str]:
        nonlocal asked
        asked += 1
        return ["127.0.0.1"] if asked == 1 else ["127.0.0.99"]

    server.says = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"]
    http = out(server, "scoring.test:{port}, 127.0.0.0/8", resolve=rebinding)
    await get(http, f"http://scoring.test:{server.port}/")
    assert asked == 1
    assert f"host: scoring.test:{server.port}".encode() in server.heard[0].lower()


async def test_a_name_at_a_private_address_is_not_called(server: Loopback) -> None:
    async def home(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    with pytest.raises(OperatorsTurn, match="not a public address"):
        await get(
            out(server, "scoring.test:{port}", resolve=home), f"http://scoring.test:{server.port}/"
        )
    assert server.heard == []


async def test_proxies_of_the_environment_are_not_used(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.says = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"]
    await get(out(server), f"http://127.0.0.1:{server.port}/")
    assert len(server.heard) == 1


async def test_an_answer_without_end_is_cut_off(server: Loopback) -> None:
    server.says = [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 10_000] * 100]
    with pytest.raises(Refused, match="larger"):
        await get(out(server, largest=50_000), f"http://127.0.0.1:{server.port}/")


async def test_a_packed_answer_is_not_unpacked(server: Loopback) -> None:
    packed = gzip.compress(b'{"a": "' + b"0" * 1_000_000 + b'"}')
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n"
    server.says = [head.encode(), packed]
    answer = await get(out(server), f"http://127.0.0.1:{server.port}/")
    assert answer.body is None  # type: ignore[attr-defined]


async def test_an_answer_that_trickles_is_not_waited_for(server: Loopback) -> None:
    server.says = [b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", *[b"x"] * 100]
    server.pause = 0.05
    began = time.monotonic()
    with pytest.raises(Unreachable):
        await get(out(server, longest=0.5), f"http://127.0.0.1:{server.port}/")
    assert time.monotonic() - began < 3


async def test_who_does_not_speak_http_is_out_of_reach(server: Loopback) -> None:
    server.says = [b"220 relay ready\r\n"]
    with pytest.raises(Unreachable):
        await get(out(server), f"http://127.0.0.1:{server.port}/")


async def test_a_body_that_is_no_json_is_none(server: Loopback) -> None:
    server.says = [b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000]
    answer = await get(out(server), f"http://127.0.0.1:{server.port}/")
    assert answer.body is None  # type: ignore[attr-defined]


async def test_the_certificate_must_be_that_of_the_name_and_not_of_the_address(
    tmp_path: Path,
) -> None:
    certificate, vouched = _certificates(tmp_path, "scoring.test")
    server = Loopback()
    await server.start(certificate)
    server.says = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"]

    async def home(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    hosts = "scoring.test:{port}, other.test:{port}, 127.0.0.1"
    try:
        answer = await get(
            out(server, hosts, resolve=home, verify=vouched), f"https://scoring.test:{server.port}/"
        )
        assert answer.status == 200  # type: ignore[attr-defined]
        with pytest.raises(Unreachable, match="certificate"):
            await get(
                out(server, hosts, resolve=home, verify=vouched),
                f"https://other.test:{server.port}/",
            )
    finally:
        await server.stop()


def _certificates(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's certificate for a name, and a client's trust in it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate")
    key, crt = folder / "key.pem", folder / "crt.pem"
    make = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -addext subjectAltName=DNS:{name}"
    subprocess.run(
        [openssl, *make.split(), "-keyout", str(key), "-out", str(crt)],
        check=True,
        capture_output=True,
    )
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(crt, key)
    return serving, ssl.create_default_context(cafile=str(crt))
