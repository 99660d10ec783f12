"""Whatever a field holds, no condition on it fails: what does not fit its type is null."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caravan.journeys.conditions.values import value_of
from caravan.journeys.fields import FieldType
from tests.world import World

#: what numbers, days and instants are written with, in other scripts too
NEARLY = st.text(st.sampled_from("0129.+-eET:Z/ \t\n\xa0\u2003١２๓٫−"), max_size=25)
SCALARS = (
    NEARLY
    | st.text(max_size=20)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
)


@pytest.mark.parametrize("kind", get_args(FieldType))
async def test_no_stored_value_makes_a_query_fail(world: World, kind: FieldType) -> None:
    held: list[Any] = [
        "١٢",
        "１２",
        "\xa07",
        "7\u2003",
        "1e99",
        "9" * 101,
        "2026-02-30",
        "٢٠٢٦-01-01",
    ]

    @settings(deadline=None, max_examples=500)
    @given(SCALARS | st.none() | st.lists(SCALARS, max_size=2))
    def some(value: Any) -> None:
        if _can_be_kept(value):
            held.append(value)

    some()
    value = value_of("record", "field", kind)
    read = f"select {value} from unnest($1::jsonb[]) as given (record)"
    async with world.engage.acquire() as conn:
        await conn.fetch(read, [{"field": one} for one in held])


def _can_be_kept(value: Any) -> bool:
    """Neither NUL nor half a character: no store keeps those."""
    try:
        return "\\u0000" not in json.dumps(value) and bool(
            json.dumps(value, ensure_ascii=False).encode()
        )
    except UnicodeEncodeError:
        return False


@pytest.mark.parametrize("text", ["١٢", "１２", "\xa012", "12\u2003"])
async def test_digits_and_spaces_of_other_scripts_are_no_number(world: World, text: str) -> None:
    value = value_of("record", "field", "number")
    asked = f"select {value} from (select $1::jsonb as record) one"
    assert await world.engage.fetchval(asked, {"field": text}) is None
    assert await world.engage.fetchval(asked, {"field": " 12\t"}) == 12
