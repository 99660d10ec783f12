"""MJML, the mark-up of mails, as HTML; its Liquid stays as it is.

The reader is native code that a text can break: it recurses, and panics on some stray letters.
"""

import re

import mrml

from caravan.journeys.shield import shield

#: elements within elements; some twenty times as many end the process
MOST_DEPTH = 500

#: where the reader says so: octets from the start
_PLACE = re.compile(r" in root template| at position (\d+):\d+")
_TAG = re.compile(r"<(/?)([a-zA-Z][\w:-]*+)[^<>]*?(/?)>")
# what it says is said by `inlining` of every style sheet, and Liquid's words do not harm it there
_INLINE = re.compile(r"""(<mj-style\b[^<>]*?)(?<!\s)\s++inline\s*+=\s*(["'])inline\2""")
_NEVER_CLOSED = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)


class BadMjml(Exception):
    """The text is no MJML; ``line`` (from 1) is where, 1 and not ``placed`` where the reader tells not."""

    def __init__(self, line: int, message: str, *, placed: bool = False) -> None:
        self.line = line
        self.placed = placed
        self.message = message
        super().__init__(message)


def html_of(text: str) -> str:
    """Convert MJML.

    Raises:
        BadMjml: it cannot be read.
    """
    hidden = shield(text)  # MJML is XML: `a < b` in Liquid would be a broken tag
    if _nested_too_deeply(hidden.text):
        raise BadMjml(1, f"at most {MOST_DEPTH} elements within each other")
    try:
        return hidden.restored(str(mrml.to_html(_INLINE.sub(r"\1", hidden.text)).content))
    except (OSError, ValueError, RuntimeError) as error:
        places = [int(match[1]) for match in _PLACE.finditer(str(error)) if match[1]]
        before = hidden.text.encode()[: places[0]].decode(errors="ignore") if places else ""
        raise BadMjml(
            hidden.restored(before).count("\n") + 1,
            _PLACE.sub("", str(error)).strip(),
            placed=bool(places),
        ) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # which no package exports
            raise
        raise BadMjml(1, "a letter stands where only elements may") from None


def _nested_too_deeply(text: str) -> bool:
    depth = 0
    for closing, name, closed in _TAG.findall(text):
        if closing:
            depth -= 1
        elif not closed and name.lower() not in _NEVER_CLOSED:
            depth += 1
            if depth > MOST_DEPTH:
                return True
    return False
