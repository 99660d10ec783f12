"""What a cell stands for: a value that the stores take, or a reason why it stands for none."""

import json
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
def test_every_number_is_read_as_one_that_json_has_or_refused(
    cell: str, kind: Literal["number", "integer"]
) -> None:
    try:
        value = parser_of(kind)(cell)
    except UnfitOperand:
        return
    assert json.loads(json.dumps(value, allow_nan=False)) == value


@pytest.mark.parametrize("cell", ["9" * 309, "-" + "9" * 400 + ".5", "1" * 300 + "e99"])
def test_a_number_out_of_range_is_refused_with_what_was_expected(cell: str) -> None:
    with pytest.raises(UnfitOperand, match="at most 308 digits"):
        parser_of("number")(cell)
