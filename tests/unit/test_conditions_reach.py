"""How many relations a condition looks over."""

from typing import Any

import pytest

from caravan.journeys.conditions.parse import Scope, parse_condition
from caravan.journeys.conditions.reach import reach_of_accounts, reach_of_people
from caravan.journeys.conditions.scope import Context, KnownList
from caravan.journeys.fields import FieldCatalog

LISTS = Scope(
    catalog=FieldCatalog(),
    audiences=frozenset({"firms", "far-firms", "folk", "buyers"}),
    people_audiences=frozenset({"folk", "buyers"}),
)


def read(raw: Any, context: Context, scope: Scope = LISTS) -> Any:
    problems: list[object] = []
    condition = parse_condition(raw, context, (), scope, lambda *one, **_: problems.append(one))
    assert problems == []
    return condition


AUDIENCES = {
    "firms": read({"account": {"industry": "Energy"}}, "account"),
    "folk": read({"not": {"person": {"job_title": "Chief"}}}, "person"),
    "buyers": read({"any": [{"role_in_account": "buyer"}, {"audience": "folk"}]}, "person"),
    "far-firms": read({"people": {"when": {"audience": "buyers"}}}, "account"),
}
NEAR = KnownList(True, when=AUDIENCES["firms"])
PEOPLE_OF_NEAR = KnownList(True, when=read({"account": {"industry": "Energy"}}, "person"))
SCOPE = Scope(
    catalog=FieldCatalog(),
    audiences=LISTS.audiences,
    people_audiences=LISTS.people_audiences,
    account_lists={
        "static": KnownList(),
        "near": NEAR,
        "far": KnownList(
            True,
            when=read(
                {"people": {"when": {"people_list": "of-near"}}},
                "account",
                Scope(FieldCatalog(), people_lists={"of-near": PEOPLE_OF_NEAR}),
            ),
        ),
    },
    people_lists={"static": KnownList(), "of-near": PEOPLE_OF_NEAR},
)


@pytest.mark.parametrize(
    ("condition", "reach"),
    [
        ({}, 0),
        ({"account": {"industry": "Energy"}, "opportunity": {"is_closed": False}}, 0),
        ({"person": {"job_title": "Chief"}}, 1),
        ({"not": {"did": {"event": "page_visited"}}}, 1),
        ({"people": {"when": {"account": {"industry": "Energy"}, "role_in_account": "x"}}}, 1),
        ({"audience": "firms"}, 0),
        ({"people": {"when": {"audience": "folk"}}}, 1),
        ({"people": {"when": {"any": [{"person": {}}, {"not": {"audience": "buyers"}}]}}}, 2),
        ({"any": [{"audience": "firms"}, {"not": {"audience": "far-firms"}}]}, 2),
        ({"people": {"when": {"people_list": "static"}}}, 1),
        ({"people": {"when": {"people_list": "of-near"}}}, 2),
        ({"people": {"when": {"account_list": "near"}}}, 1),
        ({"people": {"when": {"account_list": "far"}}}, 2),
        ({"account_list": "static"}, 0),
        ({"account_list": "far"}, 2),
        ({"people": {"when": {"member_of": {}}}}, 1),
    ],
)
def test_of_accounts(condition: Any, reach: int) -> None:
    assert reach_of_accounts(read(condition, "account", SCOPE), AUDIENCES) == reach


@pytest.mark.parametrize(
    ("condition", "reach"),
    [
        ({"person": {"job_title": "Chief"}, "did": {"event": "page_visited"}}, 0),
        ({"account": {"industry": "Energy"}}, 1),
        ({"not": {"opportunity": {"is_closed": False}}}, 1),
        ({"member_of": {}}, 1),
        ({"audience": "folk"}, 0),
        ({"audience": "buyers"}, 1),
        ({"account_list": "static"}, 1),
        ({"account_list": "near"}, 1),
        ({"account_list": "far"}, 3),
        ({"people_list": "of-near"}, 1),
    ],
)
def test_of_people(condition: Any, reach: int) -> None:
    assert reach_of_people(read(condition, "person", SCOPE), AUDIENCES) == reach


def test_audience_that_is_not_put_in_its_place_is_the_subjects_own() -> None:
    assert reach_of_accounts(read({"people": {"when": {"audience": "buyers"}}}, "account")) == 1
    assert reach_of_accounts(read({"audience": "far-firms"}, "account")) == 0
