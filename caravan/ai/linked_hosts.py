"""Where the links of a text lead: a model links to what it was given, and to nothing that it made up."""

import re
from html import unescape

_HOST = re.compile(r"""(?:[a-z][a-z0-9+.-]*://|//(?!\s|$))([^\s"'<>/?#)\\]*)""", re.IGNORECASE)
_TARGET = re.compile(r"""(?:href|src)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
#: what a browser leaves out of an address
_LEFT_OUT = re.compile(r"[\t\r\n]+")
#: what is an address without being one that anybody follows
_NAMESPACES = frozenset({"www.w3.org"})
_SCHEME = re.compile(
    r"""(?:href|src)\s*=\s*["']?\s*(?!https?://|mailto:|tel:)([a-z][a-z0-9+.-]*:)""", re.IGNORECASE
)
_BACKSLASHED = re.compile(r"""(?:href|src)\s*=\s*["']?\s*\\""", re.IGNORECASE)


def hosts_of(text: str) -> set[str]:
    """The hosts of all addresses in a text, in small letters."""
    return {match[1].lower().rpartition("@")[2].partition(":")[0] for match in _HOST.finditer(text)}


def invented_links(text: str, *known: str, domain: str | None) -> list[str]:
    """What is wrong with the links of a text.

    Args:
        text: what a model wrote.
        known: texts whose addresses it may link to.
        domain: the sender's, under which it may link too.
    """
    text = unescape(text)  # a mail program reads it so
    targets = (_LEFT_OUT.sub("", one[1] or one[2] or "") for one in _TARGET.finditer(text))
    text = "\n".join([text, *(f'href="{target.strip()}"' for target in targets)])
    given = set[str]().union(*map(hosts_of, known)) | _NAMESPACES
    words = " ".join(known).lower()
    wrong = [
        f"links to {host or 'no host'}, an address nobody has given: link only to addresses of the brief, to tokens, "
        "or to the sender's own site"
        for host in sorted(hosts_of(text))
        if host not in given and not _is_under(host, domain) and not _is_said(host, words)
    ]
    wrong += [
        f"a link begins with {match[1]} (https://, mailto: and tel: may)"
        for match in _SCHEME.finditer(text)
    ]
    if _BACKSLASHED.search(text):
        wrong.append("a link begins with a backslash")
    return wrong


def _is_under(host: str, domain: str | None) -> bool:
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _is_said(host: str, words: str) -> bool:
    """A brief may name a site without https:// before it."""
    return (
        bool(host) and re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w-]|\.\w)", words) is not None
    )
