"""Where a text leads: a model links to what it was given, and to nothing that it made up.

Mail programs and telephones make links of what looks like one, so a site or an address that merely stands in a text
leads there as well.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from unicodedata import normalize
from urllib.parse import unquote

#: what an attribute's name ends with whose value is an address: MJML has ``background-url`` and the like
ADDRESSED = r"(?:href|src|srcset|url|background|action|poster|data)"

_HOST = re.compile(r"""(?:(?<=[a-z0-9+.-]:)//|//(?!\s|$))([^\s"'<>/?#)\\]*)""", re.IGNORECASE)
_TARGET = re.compile(rf"""{ADDRESSED}\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
#: what a browser leaves out of an address
_LEFT_OUT = re.compile(r"[\t\r\n]+")
#: what is an address without being one that anybody follows
_NAMESPACES = frozenset({"www.w3.org"})
_SCHEME = re.compile(
    rf"""(?:{ADDRESSED}\s*=\s*["']?|\burl\(\s*["']?)\s*(?!https?://|mailto:|tel:)([a-z][a-z0-9+.-]*:)""",
    re.IGNORECASE,
)
_ACTING_SCHEME = re.compile(r"\b(?:javascript|vbscript):(?=\S)", re.IGNORECASE)
_BACKSLASHED = re.compile(rf"""{ADDRESSED}\s*=\s*["']?\s*\\""", re.IGNORECASE)

_MAILTO = re.compile(r"""mailto:([^\s"'<>]*)""", re.IGNORECASE)
_ADDRESS = re.compile(r"(?<![\w.+%-])[\w.+%-]++@((?:[\w-]+\.)+[^\W\d_][\w-]+)")
_WITH_SCHEME = re.compile(r"(?:(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*+:)?//\S*", re.IGNORECASE)
#: ends of sites that mail programs make links of without more; of countries': those with a name of two letters and more
#: before them, for "e.Kr." is no site
_ENDS = (
    "academy|agency|ai|app|biz|blog|center|click|cloud|club|co|com|company|consulting|dev|digital|email|energy|expert|"
    "finance|fun|global|group|help|icu|info|io|life|link|live|me|media|mobi|money|name|net|network|news|online|org|page|"
    "partners|plus|press|pro|services|shop|site|solutions|space|store|studio|support|systems|team|tech|technology|today|"
    "tools|top|tv|vip|website|wiki|work|works|world|xyz|zone|рф"
)
_COUNTRIES = (
    "ae|ag|am|ar|at|au|be|bg|br|by|ca|cc|ch|cl|cn|cx|cy|cz|de|dk|ee|es|eu|fi|fm|fr|gg|gl|gr|hk|hr|hu|id|ie|il|im|in|ir|"
    "is|it|jp|ke|kr|kz|la|lt|lu|lv|ly|ma|md|mn|ms|mt|mx|my|ng|nl|no|nu|nz|pe|ph|pk|pl|pt|py|ro|rs|ru|sa|sc|se|sg|sh|si|"
    "sk|st|su|th|tk|to|tr|tw|ua|ug|uk|us|uy|uz|vc|ve|vn|ws|za"
)
_SITE = re.compile(
    rf"""(?<![\w@./-])(?:
        (?:[\w-]+\.)+(?:{_ENDS}|xn--[\w-]+)(?![\w@-]|\.\w)
      | (?:[\w-]+\.)*[\w-]{{2,}}\.(?:{_COUNTRIES})(?![\w@-]|\.\w)
      | (?:[\w-]+\.)+[^\W\d_]{{2,}}(?=[/:][\w?#])
      | www\.[\w-]+(?:\.[\w-]+)*
    )""",
    re.IGNORECASE | re.VERBOSE,
)


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
    given = _Given.of(known, domain)
    text = unescape(text)  # a mail program reads it so
    targets = (_LEFT_OUT.sub("", one[1] or one[2] or "") for one in _TARGET.finditer(text))
    text = "\n".join([text, *(f'href="{target.strip()}"' for target in targets)])
    wrong = [
        f"links to {host or 'no host'}, an address nobody has given: link only to addresses of the brief, to tokens, "
        "or to the sender's own site"
        for host in sorted(hosts_of(text))
        if not given.has_host(host)
    ]
    wrong += [
        f"a link begins with {match[1]} (https://, mailto: and tel: may)"
        for match in _SCHEME.finditer(text)
    ]
    if _ACTING_SCHEME.search(text):
        wrong.append("a link runs a script (https://, mailto: and tel: may be links)")
    if _BACKSLASHED.search(text):
        wrong.append("a link begins with a backslash")
    written_to = (unquote(match[1]) for match in _MAILTO.finditer(text))
    return [*wrong, *given.strange_addresses(written_to)]


def invented_sites(words: str, *known: str, domain: str | None) -> list[str]:
    """The sites and mail addresses that stand in words, without https:// before them, and that nobody has given.

    Args:
        words: what people read, without mark-up.
        known: as for ``invented_links``, and so is ``domain``.
    """
    given = _Given.of(known, domain)
    # as browsers read hosts: wide letters and full stops of other scripts are ours
    words = _WITH_SCHEME.sub(
        " ", normalize("NFKC", words).replace("\N{IDEOGRAPHIC FULL STOP}", ".")
    )
    sites = sorted({match[0].lower() for match in _SITE.finditer(words)})
    return [
        *(
            f"names {site}, a site nobody has given: name only sites of the brief, or the sender's own"
            for site in sites
            if not given.has_host(site)
        ),
        *given.strange_addresses([words]),
    ]


@dataclass(frozen=True)
class _Given:
    """What may be led to."""

    hosts: frozenset[str]
    addresses: frozenset[str]
    words: str
    domain: str | None

    @classmethod
    def of(cls, known: Iterable[str], domain: str | None) -> "_Given":
        words = "\n".join(known).lower()
        addresses = frozenset(match[0] for match in _ADDRESS.finditer(words))
        return cls(frozenset(hosts_of(words)) | _NAMESPACES, addresses, words, domain)

    def has_host(self, host: str) -> bool:
        return host in self.hosts or self._is_ours(host) or self._is_said(host)

    def strange_addresses(self, texts: Iterable[str]) -> list[str]:
        found = {match[0].lower(): match[1] for text in texts for match in _ADDRESS.finditer(text)}
        return [
            f"gives the mail address {address}, which nobody has given: those of the brief and the sender's own may stand"
            for address, host in sorted(found.items())
            if address not in self.addresses and not self._is_ours(host.lower())
        ]

    def _is_ours(self, host: str) -> bool:
        return bool(self.domain) and (host == self.domain or host.endswith(f".{self.domain}"))

    def _is_said(self, host: str) -> bool:
        """A brief may name a site without https:// before it."""
        return (
            bool(host)
            and re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w-]|\.\w)", self.words) is not None
        )
