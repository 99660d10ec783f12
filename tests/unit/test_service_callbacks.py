"""Callbacks as bodies: what the contract allows is understood, and nothing else gets through."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caravan.services.callback import Asked, Parts, read_callback
from caravan.services.errors import BadCallback
from caravan.services.tokens import digest, subscription_of, token_of
from tests.contract import faults

ACCOUNT = Asked(about="account", account_id=7)
PERSON = Asked(about="people", account_id=7, person_id=8)
PEOPLE = Asked(about="account_people", account_id=7, relations={8: 80, 9: 90})

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "objectData": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "activityData": st.fixed_dictionaries(
                        {},
                        optional={"success": st.booleans() | values, "reason": st.text() | values},
                    ),
                    "accountData": st.fixed_dictionaries(
                        {},
                        optional={"id": st.just(7) | values, "accessorValues": values, "x": values},
                    ),
                    "leadData": st.fixed_dictionaries({}, optional={"id": st.just(8) | values}),
                    "accountPersonData": st.lists(
                        st.fixed_dictionaries(
                            {},
                            optional={
                                "accountPersonRelId": st.sampled_from([80, 90]) | values,
                                "accountId": st.just(7) | values,
                                "personId": st.sampled_from([8, 9]) | values,
                                "leadData": values,
                                "accessorValues": values,
                                "more": values,
                            },
                        ),
                        max_size=3,
                    ),
                },
            ),
            max_size=2,
        )
    },
)


def read(body: Any, asked: Asked) -> Parts | None:
    try:
        return read_callback(json.dumps(body).encode(), asked)
    except BadCallback:
        return None


def without_nulls(body: Any) -> Any:
    """Some services write what they leave out as null; we let them."""
    match body:
        case dict():
            return {key: without_nulls(value) for key, value in body.items() if value is not None}
        case list():
            return [without_nulls(value) for value in body]
    return body


@settings(deadline=None)  # the contract's document is read with the first
@given(bodies, st.sampled_from([ACCOUNT, PERSON, PEOPLE]))
def test_what_is_understood_is_what_the_contract_allows(body: Any, asked: Asked) -> None:
    parts = read(body, asked)
    if parts is not None:
        assert faults("CallbackRequest", without_nulls(body)) == []
        assert set(parts.people) <= {asked.person_id, *asked.relations}
        assert Parts.model_validate_json(parts.model_dump_json()) == parts


@given(st.binary(max_size=200))
def test_any_octets_are_understood_or_refused(content: bytes) -> None:
    with pytest.raises(BadCallback):
        read_callback(content, ACCOUNT)


def test_an_answer_may_come_in_several_items_and_a_person_counts_once() -> None:
    def item(person: int, relation: int, value: int) -> dict[str, Any]:
        one = {
            "accountPersonRelId": relation,
            "accountId": 7,
            "personId": person,
            "accessorValues": {"v": value},
        }
        return {"activityData": {"success": True}, "accountPersonData": [one]}

    body = {"objectData": [item(8, 80, 1), item(9, 90, 2), item(8, 80, 3)]}
    assert faults("CallbackRequest", body) == []
    parts = read(body, PEOPLE)
    assert parts is not None
    assert {person: part.accessors["v"] for person, part in parts.people.items()} == {8: 1, 9: 2}


def test_a_token_is_one_calls_alone_and_leads_to_its_subscription() -> None:
    token = token_of("s" * 32, "123-ABC-456", "1/ask/1/0")
    assert subscription_of(token) == "123-ABC-456"
    assert token == token_of("s" * 32, "123-ABC-456", "1/ask/1/0")
    others = {
        token_of("t" * 32, "123-ABC-456", "1/ask/1/0"),
        token_of("s" * 32, "123-ABC-457", "1/ask/1/0"),
        token_of("s" * 32, "123-ABC-456", "1/ask/1/1"),
    }
    assert token not in others
    assert len({digest(one) for one in (token, *others)}) == 4
    assert [subscription_of(text) for text in ("", ".", "x", ".x", "x.")] == [None] * 5
