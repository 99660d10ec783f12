"""Characters that nobody sees: what each may do in a text, and what is left where it is shown in one line.

Three things are told apart. What **steers** moves a terminal's cursor or the direction of what follows, so that a text
reads as another than it is: it never belongs into what people are shown. What is **unseen** besides – joiners that
Persian, Indic scripts and emoji are written with, marks of direction, soft hyphens – stays in names and mail as it
is, and has to be looked through where texts are compared or a model reads them. Line breaks and tabs are neither.
"""

import re

#: controls but tab and the line breaks of text files, and halves of characters, which no text has
_CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff"
#: embeddings, overrides and isolates, and their forerunners; the marks U+200E, U+200F and U+061C move nothing but themselves
_TURNS = "\u202a-\u202e\u2066-\u206f"
#: what breaks a line, wherever text is read
_BREAKS = "\t\n\r\u2028\u2029"

_STEERING = re.compile(f"[{_CONTROLS}{_TURNS}]")
_TURNING = re.compile(f"[{_TURNS}\ud800-\udfff]")
_BREAKING = re.compile(f"[{_BREAKS}{_CONTROLS}]")

#: what Unicode has nothing drawn for, though Python calls some of it printable (Default_Ignorable_Code_Point)
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def is_seen(character: str) -> bool:
    """Whether a person sees something of a character, or an ordinary blank."""
    return character.isprintable() and not _IGNORABLE.match(character)


def steers(text: str) -> bool:
    """Whether something in a text moves what is shown around it; several lines may stand in it."""
    return _STEERING.search(text) is not None


def in_one_line(text: str) -> str:
    """A text without anything that steers: a blank for what breaks lines and for controls, nothing for what has no width."""
    return _BREAKING.sub(" ", _TURNING.sub("", text))


def is_one_line(text: str) -> bool:
    """Whether a text is shown in one line as it is."""
    return in_one_line(text) == text
