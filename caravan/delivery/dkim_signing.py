"""DKIM: mail that says by its signature which domain answers for it (RFC 6376).

RSA alone: an Ed25519 signature (RFC 8463) would need a package more, and must stand beside an RSA one anyway for
the many receivers that do not know it. The arithmetic is plain Python: some 10 ms of one core a message
(docs/limits.md); where that is too much, the relay signs.
"""

import base64
import re
from dataclasses import dataclass

import dkim
from dkim.crypto import UnparsableKeyError, parse_pem_private_key

#: RFC 8301 §3.2: at least 1024 bits, better 2048; what is less is not worth a record
FEWEST_BITS = 2048
#: every field of ours that a mailbox shows or acts by (RFC 6376 §5.4.1), those of one-click unsubscribing
#: (RFC 8058 §4) and Feedback-ID included. Each is named once more than it occurs, also where it does not, so
#: that none can be added on the way (§5.4.2)
SIGNED = (
    *(b"From", b"Reply-To", b"To", b"Subject", b"Date", b"Message-ID"),
    *(b"MIME-Version", b"Content-Type", b"Content-Transfer-Encoding"),
    *(b"List-ID", b"List-Unsubscribe", b"List-Unsubscribe-Post", b"Feedback-ID", b"Auto-Submitted"),
)
_CANONICAL = (b"relaxed", b"relaxed")  # relays fold and respace
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", re.I)
_HEADER_NAME = re.compile(rb"^([!-9;-~]+):", re.MULTILINE)
_RSA = bytes.fromhex("300d06092a864886f70d0101010500")  # AlgorithmIdentifier rsaEncryption, NULL
_TXT_STRING = 255  # octets of one string of a TXT record (RFC 1035 §3.3)


class BadDkim(ValueError):
    """The DKIM settings cannot be used; names which."""


@dataclass(frozen=True)
class DkimSigner:
    """Signs as ``domain`` with the key published under ``selector``."""

    domain: str
    selector: str
    key: bytes
    modulus: int
    exponent: int

    @classmethod
    def of(cls, domain: str, selector: str, key: str) -> "DkimSigner":
        """Read the settings.

        Raises:
            BadDkim: one of them is no such thing; the key is not repeated.
        """
        for name, value in (("DKIM_DOMAIN", domain), ("DKIM_SELECTOR", selector)):
            if len(value) > 200 or not _NAME.fullmatch(value):
                raise BadDkim(f"The setting {name} is wrong: {value!r} is no name of the DNS")
        pem = key.replace("\r\n", "\n").strip().encode() + b"\n"
        try:
            private = parse_pem_private_key(pem)
        except (UnparsableKeyError, ValueError, IndexError):
            raise BadDkim(
                "The setting DKIM_KEY is wrong: it is no RSA private key as PEM without a password "
                "(PKCS#1 or PKCS#8); `openssl genrsa 2048` makes one"
            ) from None
        bits = private["modulus"].bit_length()
        if bits < FEWEST_BITS:
            raise BadDkim(
                f"The setting DKIM_KEY is wrong: {bits} bits are too few, receivers want {FEWEST_BITS}; "
                "`openssl genrsa 2048` makes a key"
            )
        return cls(
            domain.lower(), selector.lower(), pem, private["modulus"], private["publicExponent"]
        )

    def sign(self, content: bytes) -> bytes:
        """The message with its signature on top."""
        head = content[: content.index(b"\r\n\r\n") + 2]
        present = [name.lower() for name in _HEADER_NAME.findall(head)]
        signed = [name.lower() for name in SIGNED]
        signature: bytes = dkim.sign(
            content,
            self.selector.encode(),
            self.domain.encode(),
            self.key,
            canonicalize=_CANONICAL,
            include_headers=[*(name for name in present if name in signed), *signed],
        )
        return signature + content

    @property
    def record_name(self) -> str:
        """Where the DNS is asked for the key."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record(self) -> str:
        """What it has to answer (RFC 6376 §3.6.1)."""
        public = _der(0x30, _integer(self.modulus) + _integer(self.exponent))
        subject = _der(0x30, _RSA + _der(0x03, b"\x00" + public))
        return f"v=DKIM1; k=rsa; p={base64.b64encode(subject).decode()}"

    @property
    def zone_line(self) -> str:
        """The record as a line of a zone file."""
        text = self.record
        strings = [text[n : n + _TXT_STRING] for n in range(0, len(text), _TXT_STRING)]
        return f"{self.record_name}. IN TXT " + " ".join(f'"{string}"' for string in strings)


def _integer(number: int) -> bytes:
    # one octet more where the first bit would make it negative
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1))


def _der(tag: int, content: bytes) -> bytes:
    """DER (X.690 §8.1): tag, length, content."""
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content
