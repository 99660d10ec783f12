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


def far(host: str) -> bool:
    """As if the relay were on another machine."""
    return False


async def test_relay_elsewhere_gets_nothing_in_the_clear(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caravan.delivery.smtp.is_loopback", far)
    with pytest.raises(RelayUnreachable, match=r"STARTTLS.*SMTP_TLS=none"):
        await connect(f"smtp://127.0.0.1:{relay.port}")
    for tls in ("none", "opportunistic"):
        await (await SmtpTransport(f"smtp://127.0.0.1:{relay.port}", tls=tls).connect()).quit()  # type: ignore[arg-type]
    await connect(f"smtp://127.0.0.1:{relay.port}?starttls=0")


async def test_relay_elsewhere_has_to_prove_itself(
    relay: Relay, certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caravan.delivery.smtp.is_loopback", far)
    relay.certificate = certificate
    with pytest.raises(RelayUnreachable, match=r"certificate.*SMTP_TLS=opportunistic"):
        await connect(f"smtp://127.0.0.1:{relay.port}")
    client = await SmtpTransport(
        f"smtp://127.0.0.1:{relay.port}", tls="opportunistic", timeout=2
    ).connect()
    await client.quit()
    assert relay.encrypted == 1  # the first broke off
    with pytest.raises(RelayUnreachable, match="certificate"):  # a password wants proof
        await SmtpTransport(
            f"smtp://us:secret@127.0.0.1:{relay.port}", tls="opportunistic", timeout=2
        ).connect()


@pytest.mark.parametrize(
    ("url", "required"),
    [
        ("smtp://mail.us.example", True),
        ("smtp://10.0.0.5", True),  # a private network proves nothing
        ("smtp://[fe80::1]", True),
        ("smtp://localhost.evil.example", True),
        ("smtp://localhost", False),
        ("smtp://127.0.0.1:1025", False),
        ("smtp://127.9.9.9", False),
        ("smtp://[::1]:25", False),
        ("smtps://localhost", True),
    ],
)
def test_only_this_machine_may_be_spoken_to_without_tls(url: str, required: bool) -> None:
    transport = SmtpTransport(url)
    assert (transport._demanded == "required") == required
    assert (transport._tls_context.verify_mode is ssl.CERT_REQUIRED) == required


@pytest.mark.parametrize(
    ("url", "tls"),
    [
        ("smtp://host?starttls=0", "required"),
        ("smtp://host?starttls=1", "none"),
        ("smtps://host", "none"),
    ],
)
def test_contradiction_is_refused(url: str, tls: Any) -> None:
    with pytest.raises(ValueError, match="contradict"):
        SmtpTransport(url, tls=tls)


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
        monkeypatch.setattr("caravan.delivery.smtp.is_loopback", far)
    with pytest.raises(RelayUnreachable) as caught:
        await SmtpTransport(url, timeout=1).connect()
    assert "secret" not in str(caught.value)


async def test_wrong_password_is_the_relay_being_unusable(relay: Relay) -> None:
    relay.extensions = ("AUTH PLAIN",)
    relay.when("AUTH", "535 5.7.8 wrong")
    with pytest.raises(RelayUnreachable, match="535") as caught:
        await SmtpTransport(f"smtp://us:secret@127.0.0.1:{relay.port}", timeout=1).connect()
    assert "secret" not in str(caught.value)
