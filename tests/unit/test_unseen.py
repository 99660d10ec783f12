"""Characters that nobody sees: those that steer never reach a line; those that scripts and emoji are written with stay."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caravan.ai.writing import LONGEST, WrittenMail
from caravan.journeys.unseen import in_one_line, is_one_line, is_seen, steers
from starter.output import cell

#: Persian and Hindi as they are spelt, a family, a flag of Scotland, a mark of direction, French
WRITTEN = (
    "می\u200cخواهم", "क्\u200dष", "👩\u200d👩\u200d👧", "❤\ufe0f", "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "C++\u200e عربي", "12\u202f%", "שלום",
)  # fmt: skip
STEERING = ("\x1b", "\x00", "\x7f", "\x9b", "\u202a", "\u202e", "\u2066", "\u2069", "\u206a")


@pytest.mark.parametrize("text", WRITTEN)
def test_what_is_written_in_whatever_script_stays(text: str) -> None:
    assert in_one_line(text) == text
    assert not steers(text)


@pytest.mark.parametrize("character", STEERING)
def test_what_steers_is_in_no_line_and_no_mail(character: str) -> None:
    assert steers(f"Hi{character}gnp.exe")
    assert character not in in_one_line(f"Hi{character}gnp.exe")
    assert character not in cell(f"Hi{character}gnp.exe")
    for part in LONGEST:
        mail = {"subject": "Hi", "preheader": "", "body": "Hi"} | {part: f"Hi{character}gnp.exe"}
        assert any("steer" in wrong for wrong in WrittenMail(**mail).misshapen), part


@pytest.mark.parametrize(
    ("text", "line"),
    [("a\nb", "a b"), ("a\tb", "a b"), ("a\u2028b\x00c", "a b c"), ("a\u202eb", "ab"), ("a\x1b[31mb", "a [31mb")],
)  # fmt: skip
def test_breaks_are_blanks_and_what_has_no_width_is_nothing(text: str, line: str) -> None:
    assert in_one_line(text) == line


@given(st.text(st.characters(codec=None)))
def test_a_line_has_nothing_that_steers_or_breaks_and_is_its_own_line(text: str) -> None:
    line = in_one_line(text)
    assert is_one_line(line)
    assert not steers(line)
    assert len(line.splitlines()) <= 1
    line.encode()


@given(st.characters(codec=None))
def test_nothing_that_formats_or_controls_is_seen(character: str) -> None:
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        assert not is_seen(character)


@pytest.mark.parametrize("character", ["\u00ad", "\u034f", "\u115f", "\u200b", "\u3164", "\ufe0f", "\U000e0061", "\U000e0101"])  # fmt: skip
def test_what_python_prints_and_nobody_sees_is_unseen(character: str) -> None:
    assert not is_seen(character)


def test_letters_and_blanks_are_seen() -> None:
    assert all(map(is_seen, "Å b漢🙂م"))
