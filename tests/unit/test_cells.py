"""What a cell stands for: a value that the stores take, or a reason why it stands for none."""

import json
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caravan.journeys.conditions.operators import UnfitOperand
from caravan.platform.cells import parser_of

#: of any length, for an export writes what it likes
NUMBERS = st.builds(
    "{}{}{}".format,
    st.integers(-(10**400), 10**400),
    st.from_regex(r"\A(\.[0-9]{1,20})?\Z"),
    st.from_regex(r"\A([eE][+-]?[0-9]{1,2})?\Z"),
)


@given(NUMBERS, st.sampled_from(("number", "integer")))
def test_every_number_is_read_as_it_is_written_and_json_has_it_or_refused(
    cell: str, kind: Literal["number", "integer"]
) -> None:
    try:
        value = parser_of(kind)(cell)
    except UnfitOperand:
        return
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    assert Decimal(str(value)) == Decimal(cell)


@pytest.mark.parametrize("cell", ["9" * 309, "-" + "9" * 400 + ".5", "1" * 300 + "e99"])
def test_a_number_out_of_range_is_refused_with_what_was_expected(cell: str) -> None:
    with pytest.raises(UnfitOperand, match="at most 308 digits"):
        parser_of("number")(cell)


@given(st.integers(-(10**308), 10**308), st.sampled_from(("number", "integer")))
def test_whole_number_of_any_size_is_kept_to_its_last_digit(
    number: int, kind: Literal["number", "integer"]
) -> None:
    assert parser_of(kind)(str(number)) == number
    assert type(parser_of(kind)(f"{number}.0")) is int


@given(st.integers(-(10**14), 10**14), st.integers(0, 14))
def test_fraction_of_fifteen_digits_is_kept(digits: int, places: int) -> None:
    cell = str(Decimal(digits).scaleb(-places))
    assert Decimal(str(parser_of("number")(cell))) == Decimal(cell)


@pytest.mark.parametrize(
    "cell", ["9007199254740993.5", "0.12345678901234567890", "-1.00000000000000000001"]
)
def test_fraction_that_would_be_rounded_is_refused_with_its_reason(cell: str) -> None:
    with pytest.raises(UnfitOperand, match="more digits than a number keeps"):
        parser_of("number")(cell)


def test_fraction_where_a_whole_number_is_wanted_is_refused_as_that() -> None:
    with pytest.raises(UnfitOperand, match="a whole number was expected"):
        parser_of("integer")("12.5")
