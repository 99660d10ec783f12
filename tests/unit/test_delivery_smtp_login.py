"""Reaching a relay: its address, encryption and login."""

import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.smtp import SmtpTransport
from tests.relay import Relay


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    new = Relay()
    await new.start()
    yield new
    await new.stop()


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """One that nobody vouches for."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate")
    key, crt = tmp_path / "key.pem", tmp_path / "crt.pem"
    make = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    subprocess.run(
        [openssl, *make.split(), "-keyout", str(key), "-out", str(crt)],
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(crt, key)
    return context


async def connect(url: str) -> None:
    client = await SmtpTransport(url, timeout=2).connect()
    await client.quit()


async def test_encryption_is_used_where_it_is_offered(
    relay: Relay, certificate: ssl.SSLContext
) -> None:
    relay.certificate = certificate
    await connect(f"smtp://127.0.0.1:{relay.port}")
    assert relay.encrypted == 1


async def test_encryption_can_be_forbidden(relay: Relay, certificate: ssl.SSLContext) -> None:
    relay.certificate = certificate
    await connect(f"smtp://127.0.0.1:{relay.port}?starttls=0")
    assert relay.encrypted == 0


async def test_insisting_on_encryption_insists_on_a_valid_certificate(
    relay: Relay, certificate: ssl.SSLContext
) -> None:
    relay.certificate = certificate
    with pytest.raises(RelayUnreachable, match="certificate"):
        await connect(f"smtp://127.0.0.1:{relay.port}?starttls=1")


async def test_smtps_wants_tls_from_the_first_byte(relay: Relay) -> None:
    with pytest.raises(RelayUnreachable):
        await connect(f"smtps://127.0.0.1:{relay.port}")


@pytest.mark.parametrize(
    "url",
    [
        "http://host",
        "smtp://",
        "smtp://host?startls=1",
        "smtp://host?starttls=yes",
        "smtp://host:port",
        "smtp://host/path",
    ],
)
def test_relay_address_that_is_none_is_said(url: str) -> None:
    with pytest.raises(ValueError, match=r"SMTP_URL looks like"):
        SmtpTransport(url)


@pytest.mark.parametrize("options", ["?starttls=1", ""])
async def test_password_never_crosses_in_the_clear(
    relay: Relay, options: str, monkeypatch: Any
) -> None:
    """A relay (or who stands before it) that offers no STARTTLS gets no password."""
    relay.extensions = ("AUTH PLAIN LOGIN",)
    url = f"smtp://us:secret@127.0.0.1:{relay.port}{options}"
    if not options:
        monkeypatch.setattr("caravan.delivery.smtp._LOOPBACK", ())
    with pytest.raises(RelayUnreachable) as caught:
        await SmtpTransport(url, timeout=1).connect()
    assert "secret" not in str(caught.value)


async def test_wrong_password_is_the_relay_being_unusable(relay: Relay) -> None:
    relay.extensions = ("AUTH PLAIN",)
    relay.when("AUTH", "535 5.7.8 wrong")
    with pytest.raises(RelayUnreachable, match="535") as caught:
        await SmtpTransport(f"smtp://us:secret@127.0.0.1:{relay.port}", timeout=1).connect()
    assert "secret" not in str(caught.value)
