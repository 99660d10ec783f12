"""The return path: an envelope address of its own for each message, so that a bounce tells which.

Variable envelope return paths (VERP): whatever a receiving host sends back, it sends to the envelope's
sender (RFC 5321 §4.4, RFC 3464 §2), while what the bounce itself says of the message is often unusable. The
address names a message by its number and proves that we have made it; it names no person, and it
survives hosts that change the case of a local part.
"""

import hmac
from base64 import b32decode, b32encode
from binascii import Error as NotBase32
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

PREFIX = "bounce+"
#: octets of the number and of what proves it: 32 characters of base32 (RFC 4648 §6), no padding, so
#: that the local part stays within 64 (RFC 5321 §4.5.3.1.1)
_NUMBER, _PROOF = 8, 12


@dataclass(frozen=True)
class Returned:
    """Which message an address stands for."""

    munchkin: str
    message_number: int


@dataclass(frozen=True)
class ReturnPath:
    """Return paths at one domain.

    Args:
        domain: whose mail comes to us (RETURN_PATH_DOMAIN).
        keys: secrets; the first makes addresses, all of them prove one, so that bounces of mail sent
            before a change of key are still understood.
    """

    domain: str
    keys: Sequence[str]

    def address(self, munchkin: str, message_number: int) -> str:
        """The envelope sender of a message (``ledger.id``) of a subscription."""
        number = message_number.to_bytes(_NUMBER)
        token = b32encode(number + _proof(self.keys[0], munchkin, number)).decode().lower()
        return f"{PREFIX}{token}@{self.domain}"

    def read(self, address: str, munchkins: Iterable[str]) -> Returned | None:
        """The message of one of these subscriptions an address was made for; None: it is none of ours."""
        local, _, domain = address.strip().strip("<>").rpartition("@")
        if domain.lower() != self.domain.lower() or not local.lower().startswith(PREFIX):
            return None
        try:
            token = b32decode(local[len(PREFIX) :].upper())
        except (NotBase32, ValueError):  # the latter: characters outside ASCII
            return None
        number, proof = token[:_NUMBER], token[_NUMBER:]
        if len(proof) != _PROOF:
            return None
        for munchkin in munchkins:
            if any(hmac.compare_digest(proof, _proof(key, munchkin, number)) for key in self.keys):
                return Returned(munchkin, int.from_bytes(number))
        return None


def _proof(key: str, munchkin: str, number: bytes) -> bytes:
    # two subscriptions that differ in case alone cannot exist
    said = b"return-path\x00" + munchkin.lower().encode() + b"\x00" + number
    return hmac.digest(key.encode(), said, sha256)[:_PROOF]
