"""Header fields of a mail: whatever the data is, it stays the value of its field.

RFC 5322 §2.2 (fields and folding), §3.4 (mailboxes); RFC 2047 (words outside ASCII).
"""

import re
from base64 import b64encode
from collections.abc import Iterator

WIDTH = 78  # what a line of a header should keep to (RFC 5322 §2.1.1)
# leaves "=?utf-8?q?…?=" and a field's name in a line of 76 (RFC 2047 §2)
_MOST_Q, _MOST_B_OCTETS = 51, 36

# line ends and controls, of Unicode too; what only shapes text (joiners, direction marks) stays
_BREAKS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_FIELD_NAME = re.compile(r"[!-9;-~]+")  # RFC 5322 §3.6.8
# RFC 2047 §5 (3): the characters that stand for themselves in a phrase
_Q = {n: chr(n) if re.match(r"[A-Za-z0-9!*+/-]", chr(n)) else f"={n:02X}" for n in range(256)}
_Q[0x20] = "_"


def one_line(text: str) -> str:
    """A header's text: neither line breaks nor control characters can come from data."""
    return _BREAKS.sub(" ", text).strip(" ")


def unstructured(name: str, text: str) -> str:
    """A field of free text, such as Subject; ends in CRLF."""
    text = one_line(text)
    if _stands_for_itself(text):
        lines = _folded(f"{name}:", text.split(" "))
        if all(len(line) <= WIDTH for line in lines):
            return "\r\n".join(lines) + "\r\n"
    return "\r\n".join(_folded(f"{name}:", list(_encoded_words(text)))) + "\r\n"


def mailbox(name: str, display_name: str | None, address: str) -> str:
    """A field of one mailbox, such as From; ends in CRLF. The address is a mailable one."""
    shown = one_line(display_name or "")
    if not shown:
        return f"{name}: {address}\r\n"
    quoted = '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'
    words = quoted.split(" ")
    if not _stands_for_itself(shown) or max(map(len, words)) > WIDTH // 2:
        words = list(_encoded_words(shown))
    return "\r\n".join(_folded(f"{name}:", [*words, f"<{address}>"])) + "\r\n"


def structured(name: str, value: str) -> str:
    """A field whose parts mean something, such as List-Unsubscribe; ends in CRLF.

    It is folded at its spaces, and nothing in it is encoded: that would change what it says.

    Raises:
        ValueError: a name or a value that no such field can have.
    """
    value = one_line(value)
    if not _FIELD_NAME.fullmatch(name) or not value or not value.isascii():
        raise ValueError(f"no header field: {name}: {value}")
    return "\r\n".join(_folded(f"{name}:", value.split(" "))) + "\r\n"


def _stands_for_itself(text: str) -> bool:
    """Whether a reader takes the text as it is: data may look like an encoded word."""
    return text.isascii() and "=?" not in text


def _folded(start: str, words: list[str]) -> list[str]:
    """Words on lines that keep to the width where they can; none is cut."""
    lines = [f"{start} {words[0]}"]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) > WIDTH:
            lines.append("")
        lines[-1] += " " + word
    return lines


def _encoded_words(text: str) -> Iterator[str]:
    """Encoded words of whole characters (white space between neighbours does not count, §6.2)."""
    if 3 * sum(not character.isascii() for character in text) < len(text):
        chunk = ""
        for character in text:
            encoded = "".join(_Q[octet] for octet in character.encode())
            if len(chunk) + len(encoded) > _MOST_Q:
                yield f"=?utf-8?q?{chunk}?="
                chunk = ""
            chunk += encoded
        yield f"=?utf-8?q?{chunk}?="
        return
    octets = b""
    for character in text:
        encoded_octets = character.encode()
        if len(octets) + len(encoded_octets) > _MOST_B_OCTETS:
            yield f"=?utf-8?b?{b64encode(octets).decode()}?="
            octets = b""
        octets += encoded_octets
    yield f"=?utf-8?b?{b64encode(octets).decode()}?="
