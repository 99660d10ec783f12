"""Whether an open or a click was somebody's doing, or that of an automatic agent (product.md §5.10).

What agents do is recorded with the verdict and moves nobody, so the list is short and kept: agents that say what
they are. Libraries (curl, python-requests) say nothing of who uses them; scanners that do give themselves
away by asking for the head alone, or by being faster than a person.
"""

import re
from datetime import datetime, timedelta
from typing import Literal

What = Literal["opened", "clicked"]

#: Within this long of delivery nobody has read a mail (the rule of product.md §5.10: 0 to 3 seconds). Counted from the
#: hand-over: a relay may say late that it has the message, or its word be lost, when its reader has long had it.
TOO_SOON = timedelta(seconds=3)

#: Agents that follow links of themselves. Where each is known from:
#: any crawler that calls itself one: the generic rule of JayBizzle/Crawler-Detect and of the IAB's list;
#: BingPreview follows links in mail to Outlook.com: phpList/phplist3 issue 415;
#: Gmail-content-sampling samples links in Gmail: mssola/user_agent issue 71;
#: gateways that scan mail, by the names they give themselves: Barracuda, Mimecast, Proofpoint, SpamExperts
#: (JayBizzle/Crawler-Detect issue 282); previews of links in chats, by their makers' documentation.
_AGENTS = re.compile(
    r"(?<!\bcu)bot\b|crawl|spider|BingPreview|Gmail-content-sampling|Barracuda|Mimecast|Proofpoint|SpamExperts"
    r"|SkypeUriPreview|facebookexternalhit|WhatsApp/|Google-Safety|HeadlessChrome|PhantomJS",
    re.IGNORECASE,
)
#: What fetches a mail's pictures before anybody has opened it. Apple's Mail Privacy Protection says this
#: and no more of itself (wordtothewise.com, 2021/09). Not here: GoogleImageProxy and YahooMailProxy, which
#: fetch when a mail is opened.
_PREFETCHERS = frozenset({"Mozilla/5.0"})


def agent_verdict(what: What, method: str, user_agent: str) -> str | None:
    """Why a request cannot be a person's; None where it can be."""
    if method == "HEAD":
        return "head"
    if _AGENTS.search(user_agent) is not None:
        return "agent"
    if what == "opened" and user_agent.strip() in _PREFETCHERS:
        return "prefetch"
    return None


def time_verdict(what: What, at: datetime, handed_over_at: datetime | None) -> str | None:
    """Why a click cannot be a person's by its time.

    Args:
        what: an open may come at once: whoever watches a mail arrive has it opened.
        at: when it was done.
        handed_over_at: when the message's content began to leave; None: it has not.
    """
    if what == "clicked" and (handed_over_at is None or at - handed_over_at < TOO_SOON):
        return "too-soon"
    return None
