"""How many messages a text is: known cases, and what holds of any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caravan.delivery.text_length import is_gsm, segments


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("å" * 160, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # two of the extension table's seven bits are not parted: 152 and 1, then the € goes along
        ("a" * 152 + "€" + "a" * 152, 3),
        ("a" * 151 + "€" + "a" * 153, 2),
        ("ç" * 70, 1),  # the alphabet has the large one alone
        ("Ç" * 160, 1),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),
        ("я" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        # 67 units hold 33 of two; the 34th is not cut in half
        ("😀" * 66, 2),
        ("😀" * 67, 3),
        ("a" * 159 + "ł", 3),
    ],
)
def test_segments_of_known_texts(text: str, count: int) -> None:
    assert segments(text) == count


@given(st.text(max_size=1600))
def test_more_text_is_never_fewer_messages(text: str) -> None:
    assert segments(text) <= segments(text + "a") <= segments(text) + 1


@given(st.text(alphabet="abc€[]^\n", max_size=1600))
def test_seven_bits_hold_at_least_what_sixteen_do(text: str) -> None:
    assert is_gsm(text)
    assert segments(text) <= segments(text + "я")
