"""The HTML a mail is made of: MJML converted, CSS inlined, Liquid as it was written. Once, not per message."""

import re
from functools import cache, lru_cache
from typing import Literal

from caravan.journeys.inlining import inlined
from caravan.journeys.mjml import html_of

MailFormat = Literal["mjml", "html"]


@lru_cache(maxsize=64)  # a workspace is read again at each change of one file
def mail_html(text: str, written_in: MailFormat) -> str:
    """The HTML of a body, its fragments in place.

    Raises:
        BadMjml: it is no MJML.
    """
    if written_in == "html":
        return inlined(text)
    return inlined(html_of(text), but=_resets())


@cache
def _resets() -> frozenset[str]:
    """What every mail from MJML resets for old mailboxes: right in the head, noise in each cell."""
    empty = html_of("<mjml><mj-body></mj-body></mjml>")
    return frozenset(css.strip() for css in re.findall(r"<style[^>]*>(.*?)</style>", empty, re.S))
