"""Mail addresses: which strings are one."""

import re

# RFC 5321 §4.1.2, RFC 6531 §3.3: a dot-string; quoted local parts, comments and address literals
# are legal, never a person's, and tempting to the wrong people
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_LABEL = (
    r"[A-Za-z0-9\u0080-\U0010ffff](?:[A-Za-z0-9_\u0080-\U0010ffff-]*[A-Za-z0-9\u0080-\U0010ffff])?"
)
_ADDRESS = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@({_LABEL}(?:\.{_LABEL})*)")


def is_mailable(address: str) -> bool:
    """Whether a string can stand in RCPT TO: one local part, one domain, no tricks."""
    match = _ADDRESS.fullmatch(address)
    if match is None or not address.isprintable():
        return False
    local, domain = match[1].encode(), match[2].encode()
    # the lengths of RFC 5321 §4.5.3.1 are octets
    return len(local) <= 64 and len(domain) <= 253 and max(map(len, domain.split(b"."))) <= 63


def split_name(text: str) -> tuple[str | None, str]:
    """The name and address of ``Name <address>``; None and the text where it is an address alone."""
    text = text.strip()
    name, bracket, address = text.rpartition("<")
    if bracket and address.endswith(">"):
        return name.strip().strip('"').strip() or None, address[:-1].strip()
    return None, text
