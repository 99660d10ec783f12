"""How many messages a text is to a phone network: what is counted, capped and paid for.

A text of the GSM 7-bit alphabet has 160 characters in one message, or 153 in each of several; those of
its extension table take two (3GPP TS 23.038 §6.2.1). Any other character makes the whole text UCS-2: 70, or 67
in each, counted in 16-bit units, so that most emoji take two. Nothing that takes two is cut in half.
"""

from collections.abc import Iterable

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("^{}\\[~]|€\f")

#: units of one message, and of each of several: their header takes the rest
GSM = (160, 153)
UCS2 = (70, 67)


def is_gsm(text: str) -> bool:
    """Whether a text can go in the 7-bit alphabet."""
    return _BASIC.union(_EXTENSION).issuperset(text)


def segments(text: str) -> int:
    """How many messages a text is; an empty one is one."""
    if is_gsm(text):
        return _count([2 if letter in _EXTENSION else 1 for letter in text], *GSM)
    return _count([2 if letter > "\uffff" else 1 for letter in text], *UCS2)


def _count(widths: Iterable[int], alone: int, each: int) -> int:
    widths = list(widths)
    if sum(widths) <= alone:
        return 1
    count, left = 1, each
    for width in widths:
        if width > left:
            count, left = count + 1, each
        left -= width
    return count
