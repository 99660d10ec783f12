"""A text without tags is joined from its pieces, and is what Liquid itself would write."""

import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caravan.delivery import liquid
from caravan.delivery.errors import UnfitText
from caravan.delivery.liquid import LiquidText

PIECES = st.sampled_from(
    ["a", "\r", "\n", "\r\n", " \n ", "<p>å</p>", "{{ x.a }}", "{{- x.a -}}", "{{ x.b | default: 'you' }}", "{{ x.c.d }}",
     "{{ x.a | upcase | escape }}", "{{ x.l }}", "{{ x.l.first }}", "{{ x.l[9] }}", "{{ (1..3) }}", "{{ 1.5 }}",
     "{{ x.a | size }}", "{{ nobody }}", "{{ x.t }}", "{% comment %}c{% endcomment %}", "{% if x.t %}y{% endif %}"]
)  # fmt: skip
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)


def rendered(text: LiquidText, context: dict[str, Any]) -> str | None:
    try:
        return text.render(context)
    except UnfitText:
        return None


@pytest.mark.parametrize("kind", [LiquidText.html, LiquidText.text_alternative])
@given(st.lists(PIECES, max_size=6), VALUES, VALUES, st.lists(VALUES, max_size=2))
def test_joined_text_is_what_liquid_writes(
    kind: Any, pieces: list[str], a: Any, b: Any, items: list[Any]
) -> None:
    text: LiquidText = kind("".join(pieces))
    context = {"x": {"a": a, "b": b, "c": {"d": a}, "l": items, "t": True}, "now": None}
    joined = rendered(text, context)
    text._pieces = None  # as with tags
    assert rendered(text, context) == joined


def test_limit_counts_octets_as_the_stream_does() -> None:
    text = LiquidText.html("{{ x }}" * 4)
    many = {"x": "å" * (liquid._Bounded.output_stream_limit // 8)}
    assert len(text.render(many)) == liquid._Bounded.output_stream_limit // 2
    with pytest.raises(UnfitText, match="output stream limit"):
        LiquidText.html("{{ x }}" * 4 + "a").render(many)


def test_text_that_runs_away_is_stopped_where_it_passes_the_limit() -> None:
    text = LiquidText.html("{{ x | append: x | append: x }}" * 500)
    tracemalloc.start()
    with pytest.raises(UnfitText, match="output stream limit"):
        text.render({"x": "a" * 300_000})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
