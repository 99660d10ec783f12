"""The JSON Schema of conditions: what a test, a condition on accounts or people, and a question about events take."""

from collections.abc import Iterable
from typing import Any

from caravan.journeys.conditions.counts import MOST
from caravan.journeys.conditions.parse import condition_keys
from caravan.journeys.conditions.reading_did import KEYS as DID_KEYS
from caravan.journeys.conditions.reading_groups import COUNT_KEYS, GROUP_KEYS, MEMBER_KEYS, TESTS
from caravan.journeys.conditions.reading_tests import EVERY_OPERATOR
from caravan.journeys.conditions.scope import Context

Schema = dict[str, Any]

SCALAR: Schema = {"type": ["string", "number", "boolean"]}
PERIOD = r"([1-9][0-9]{0,9}) (second|minute|hour|day|week|month)s?\s*$"
DURATION: Schema = {"type": "string", "pattern": rf"^\s*{PERIOD}"}
TEST: Schema = {"$ref": "#/$defs/test"}


def condition_schemas() -> dict[str, Schema]:
    """The definitions of conditions, by the names that other definitions refer to."""
    return {
        "account_condition": _condition("account"),
        "person_condition": _condition("person"),
        "did": _did(),
        "buying_group": _group(GROUP_KEYS, {"anyOf": [_role_count(), _list_of(_role_count())]}),
        "member_of": _group(MEMBER_KEYS, TEST),
        "test": _test(),
    }


def _condition(context: Context) -> Schema:
    own = {"$ref": f"#/$defs/{context}_condition"}
    several = {"type": "array", "items": own, "minItems": 1}
    tests, test, did = ({"$ref": f"#/$defs/{name}"} for name in ("field_tests", "test", "did"))
    count = {"type": "integer", "minimum": 0, "maximum": MOST}
    people = {
        "type": "object",
        "properties": {
            "when": {"$ref": "#/$defs/person_condition"},
            "at_least": count,
            "at_most": count,
        },
        "required": ["when"],
        "additionalProperties": False,
    }
    takes: dict[str, Schema] = {
        "all": several, "any": several, "not": own,
        "account": tests, "person": tests, "opportunity": tests, "role_in_account": test,
        "people": people, "did": did, "did_not": did,
        "buying_group": {"$ref": "#/$defs/buying_group"}, "member_of": {"$ref": "#/$defs/member_of"},
        "audience": SCALAR, "account_list": SCALAR, "people_list": SCALAR,
        "heard": {"anyOf": [SCALAR, {"type": "array", "items": SCALAR, "minItems": 1}]},
    }  # fmt: skip
    return {
        "type": "object",
        "properties": {key: takes.get(key, {}) for key in condition_keys(context)},
        "additionalProperties": False,
    }


def _did() -> Schema:
    count = {"type": "integer", "minimum": 1, "maximum": MOST}
    takes: dict[str, Schema] = {
        "event": {"type": "string"},
        "where": {"anyOf": [{"$ref": "#/$defs/field_tests"}, {"type": "null"}]},
        "at_least": count,
        "people": count,
        "within": {"anyOf": [DURATION, {"type": "null"}]},
        "since": {"anyOf": [SCALAR, {"type": "null"}]},
    }
    return {
        "type": "object",
        "properties": {**{key: takes.get(key, {}) for key in DID_KEYS}, "type": {"type": "string"}},
        "required": ["event"],
        "additionalProperties": False,
    }


def _group(keys: Iterable[str], role: Schema) -> Schema:
    """What is asked of a buying group."""
    takes = {**dict.fromkeys(TESTS, TEST), "role": role}
    return {
        "type": "object",
        "properties": {key: takes.get(key, {"type": "boolean"}) for key in keys},
        "additionalProperties": False,
    }


def _role_count() -> Schema:
    count = {"type": "integer", "minimum": 0, "maximum": MOST}
    return {
        "type": "object",
        "properties": {**dict.fromkeys(COUNT_KEYS, count), "name": SCALAR},
        "required": ["name"],
        "additionalProperties": False,
    }


def _list_of(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1}


def _test() -> Schema:
    one = {"type": ["string", "number", "boolean", "null"]}
    value = {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}
    return {
        "anyOf": [
            *value["anyOf"],
            {
                "type": "object",
                "properties": dict.fromkeys(sorted(EVERY_OPERATOR), value),
                "additionalProperties": False,
            },
        ]
    }
