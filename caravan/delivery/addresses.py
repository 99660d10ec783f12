"""Mail addresses as links."""

from urllib.parse import quote


def mailto(address: str, subject: str) -> str:
    """A link that starts a mail (RFC 6068): what an address may contain does not break it."""
    return f"mailto:{quote(address, safe='@!$*+.')}?subject={quote(subject)}"
