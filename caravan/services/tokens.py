"""Callback tokens: what a service shows to prove that it answers a question of ours.

A token is derived from a secret of ours and the call it is for, so every try of a call bears the same;
the store keeps only its digest. It leads with the subscription, for the gateway serves them all.
"""

import base64
import hashlib
import hmac

_SEPARATOR = "."


def token_of(secret: str, munchkin: str, call: str) -> str:
    """The token of a call.

    Args:
        secret: GATEWAY_SECRET.
        munchkin: the subscription.
        call: what tells this call from all others.
    """
    mac = hmac.digest(secret.encode(), f"call\x00{munchkin}\x00{call}".encode(), hashlib.sha256)
    return f"{munchkin}{_SEPARATOR}{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def subscription_of(token: str) -> str | None:
    """The subscription a token leads with; None where it is no token of ours."""
    munchkin, separator, rest = token.partition(_SEPARATOR)
    return munchkin if separator and munchkin and rest else None


def digest(token: str) -> bytes:
    """What the store keeps of a token. It is random enough that a plain digest cannot be undone."""
    return hashlib.sha256(token.encode()).digest()
