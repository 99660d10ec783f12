"""DKIM: what leaves verifies by the record we print, and what is changed on the way does not."""

import re
import shutil
import subprocess
from datetime import UTC, datetime

import dkim
import pytest

from caravan.delivery.dkim_signing import SIGNED, BadDkim, DkimSigner
from caravan.delivery.message import Rendered, Sender, mime


def key(*how: str) -> str:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the key")
    made = subprocess.run([openssl, *how], check=True, capture_output=True, text=True)
    return made.stdout


@pytest.fixture(scope="module")
def signer() -> DkimSigner:
    return DkimSigner.of("us.example", "c1", key("genrsa", "2048"))


def message(unsubscribe: str | None = "https://us.example/u/1", further: str = "") -> bytes:
    return mime(
        Rendered(
            "Grüße an alle, die sehr lange Betreffzeilen lesen mögen", "<p>Hi</p>" * 50, "Hi\n\n\n"
        ),
        sender=Sender("Us, Ünder", "us@us.example", "reply@us.example"),
        to_address="p@x.example",
        identity="<1@us.example>",
        at=datetime(2026, 11, 24, 19, tzinfo=UTC),
        unsubscribe_link=unsubscribe,
        further=further,
    )


def verifies(signer: DkimSigner, content: bytes) -> bool:
    """As a receiver does, which asks a DNS of ours."""

    def answer(name: bytes, timeout: int = 5) -> bytes:
        assert name == f"{signer.record_name}.".encode()
        return signer.record.encode()

    verified: bool = dkim.verify(content, dnsfunc=answer)
    return verified


def test_signed_mail_verifies_by_our_record(signer: DkimSigner) -> None:
    signed = signer.sign(message())
    assert signed.startswith(b"DKIM-Signature: ")
    assert max(map(len, signed.split(b"\r\n"))) <= 998
    assert verifies(signer, signed)
    # a relay may fold anew and add what is not signed
    assert verifies(
        signer, b"Received: from a by b\r\n" + signed.replace(b"Reply-To: ", b"Reply-To:\r\n  ")
    )


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"From: ", b"From: Them <them@evil.example>\r\nFrom: "),
        (b"Subject: ", b"Subject: Buy\r\nSubject: "),
        (b"To: p@", b"To: q@"),
        (b"List-Unsubscribe: <https://us", b"List-Unsubscribe: <https://them"),
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b""),
        (b"Feedback-ID: a:b", b"Feedback-ID: c:d"),
        (b"Message-ID: <1", b"Message-ID: <2"),
        (b"<p>Hi", b"<p>Ho"),
    ],
)
def test_changed_mail_does_not_verify(signer: DkimSigner, was: bytes, becomes: bytes) -> None:
    signed = signer.sign(message(further="Feedback-ID: a:b\r\n"))
    assert was in signed
    head, body = signed.split(b"\r\n\r\n", 1)
    top, rest = head.split(b"\r\nFrom: ", 1)  # the signature names the fields too
    changed = top + (b"\r\nFrom: " + rest + b"\r\n\r\n" + body).replace(was, becomes, 1)
    assert changed != signed
    assert not verifies(signer, changed)


@pytest.mark.parametrize("name", SIGNED)
def test_field_of_ours_cannot_be_added_on_the_way(signer: DkimSigner, name: bytes) -> None:
    signed = signer.sign(message(unsubscribe=None))
    assert not verifies(signer, signed.replace(b"\r\nFrom:", b"\r\n" + name + b": x\r\nFrom:", 1))


def test_record_is_a_line_of_a_zone_file(signer: DkimSigner) -> None:
    start = 'c1._domainkey.us.example. IN TXT "v=DKIM1; k=rsa; p='
    assert signer.zone_line.startswith(start)
    strings = re.findall(r'"([^"]*)"', signer.zone_line)
    assert "".join(strings) == signer.record
    assert max(map(len, strings)) <= 255


@pytest.mark.parametrize(
    "how", [("genrsa", "-traditional", "2048"), ("genrsa", "4096")], ids=["PKCS#1", "4096 bits"]
)
def test_other_keys_and_line_ends_do_as_well(how: tuple[str, ...]) -> None:
    signer = DkimSigner.of("US.example", "C1", key(*how).replace("\n", "\r\n"))
    assert verifies(signer, signer.sign(message()))


def test_bad_settings_are_named_and_the_key_is_not_told() -> None:
    good, short, curve = (
        key("genrsa", "2048"),
        key("genrsa", "1024"),
        key("genpkey", "-algorithm", "ed25519"),
    )
    for domain, selector, pem, told in (
        ("us example", "c1", good, "DKIM_DOMAIN"),
        ("us.example", "", good, "DKIM_SELECTOR"),
        ("us.example", "c1", "secret", "DKIM_KEY.*no RSA private key"),
        ("us.example", "c1", curve, "DKIM_KEY.*no RSA private key"),
        ("us.example", "c1", good[:400], "DKIM_KEY.*no RSA private key"),
        ("us.example", "c1", short, "DKIM_KEY.*1024 bits"),
    ):
        with pytest.raises(BadDkim, match=told) as refused:
            DkimSigner.of(domain, selector, pem)
        assert "secret" not in str(refused.value)
