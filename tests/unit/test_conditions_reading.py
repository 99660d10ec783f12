"""What is said to someone who writes a condition that cannot be meant."""

from dataclasses import replace
from typing import Any

import pytest

from caravan.journeys.conditions import model
from caravan.journeys.conditions.operators import UnfitOperand, read_moment, read_value
from caravan.journeys.conditions.parse import Scope, parse_condition, parse_event
from caravan.journeys.conditions.scope import KnownGroups, KnownInterest, KnownList
from caravan.journeys.fields import FieldCatalog

SCOPE = Scope(
    catalog=FieldCatalog(custom={"account": {"signed": "date"}}),
    audiences=frozenset({"firms", "folk"}),
    people_audiences=frozenset({"folk"}),
    nodes=frozenset({"n"}),
    templates=frozenset({"welcome"}),
    in_journey=True,
    groups=KnownGroups(
        {
            "grid": KnownInterest(frozenset({"chief"}), frozenset({"open", "won"})),
            "water": KnownInterest(frozenset({"clerk"}), frozenset()),
            "broken": KnownInterest(None, None),
        },
        roles=frozenset({"chief", "clerk", "champion"}),
        stages=frozenset({"open", "won", "lost"}),
    ),
)
PLATFORM = Scope(
    catalog=SCOPE.catalog,
    store="platform",
    audiences=SCOPE.audiences,
    people_audiences=SCOPE.people_audiences,
)


def read(
    condition: object, context: Any = "account", scope: Scope = SCOPE
) -> tuple[Any, list[tuple[str, str]]]:
    """The condition, and what was reported: the code and the place."""
    problems: list[tuple[str, str]] = []

    def report(code: str, path: tuple[object, ...], message: str, **_: object) -> None:
        assert message
        problems.append((code, ".".join(map(str, path))))

    return parse_condition(condition, context, (), scope, report), problems


@pytest.mark.parametrize(
    ("condition", "code", "place"),
    [
        ([], "bad-value", ""),
        ({"acount": {}}, "unknown-key", "acount"),
        ({"account": []}, "bad-value", "account"),
        ({"account": {"industri": "x"}}, "unknown-field", "account.industri"),
        ({"account": {"industry": {"like": "x"}}}, "unknown-key", "account.industry.like"),
        ({"account": {"industry": {"at_least": 1}}}, "operator-type-mismatch", "account.industry.at_least"),
        ({"account": {"employees": {"contains": 1}}}, "operator-type-mismatch", "account.employees.contains"),
        ({"account": {"employees": 1.5}}, "bad-value", "account.employees"),
        ({"account": {"employees": "7"}}, "bad-value", "account.employees"),
        ({"account": {"employees": True}}, "bad-value", "account.employees"),
        ({"account": {"employees": float("inf")}}, "bad-value", "account.employees"),
        ({"account": {"employees": {"between": [1]}}}, "bad-value", "account.employees.between"),
        ({"account": {"employees": {"is": []}}}, "bad-value", "account.employees.is"),
        ({"account": {"industry": {"empty": "yes"}}}, "bad-value", "account.industry.empty"),
        ({"account": {"industry": {"empty": [True, False]}}}, "bad-value", "account.industry.empty"),
        ({"account": {"industry": "a\x00"}}, "bad-value", "account.industry"),
        ({"account": {"industry": "\ud800"}}, "bad-value", "account.industry"),
        ({"account": {"signed": 20260101}}, "bad-value", "account.signed"),
        ({"account": {"signed": "2026-02-30"}}, "bad-value", "account.signed"),
        ({"account": {"signed": "0001-01-01T00:00:00+01:00"}}, "bad-value", "account.signed"),
        ({"account": {"signed": {"in_past": "3"}}}, "bad-value", "account.signed.in_past"),
        ({"role_in_account": "x"}, "wrong-context", "role_in_account"),
        ({"heard": "n"}, "wrong-context", "heard"),
        ({"all": []}, "bad-value", "all"),
        ({"any": [{}, {"not": 1}]}, "bad-value", "any.1.not"),
        ({"people": {"at_least": 1}}, "missing-key", "people"),
        ({"people": {"when": {}, "at_least": -1}}, "bad-value", "people.at_least"),
        ({"people": {"when": {}, "at_most": 0}}, "bad-value", "people.at_most"),
        ({"people": {"when": {}, "at_most": None}}, "bad-value", "people.at_most"),
        ({"people": {"when": {"people": {"when": {}}}}}, "wrong-context", "people.when.people"),
        ({"buying_group": "grid"}, "bad-value", "buying_group"),
        ({"buying_group": {"stge": "open"}}, "unknown-key", "buying_group.stge"),
        ({"buying_group": {"removed": True}}, "unknown-key", "buying_group.removed"),
        ({"buying_group": {"solution_interest": "gird"}}, "unknown-solution-interest", "buying_group.solution_interest"),
        ({"buying_group": {"stage": "opn"}}, "unknown-stage", "buying_group.stage"),
        ({"buying_group": {"solution_interest": "grid", "stage": {"is_not": "lost"}}}, "unknown-stage", "buying_group.stage"),
        ({"buying_group": {"solution_interest": "water", "stage": "open"}}, "unknown-stage", "buying_group.stage"),
        ({"buying_group": {"stage": 7}}, "unknown-stage", "buying_group.stage"),
        ({"buying_group": {"completeness": "80"}}, "bad-value", "buying_group.completeness"),
        ({"buying_group": {"engagement": {"contains": 8}}}, "operator-type-mismatch", "buying_group.engagement.contains"),
        ({"buying_group": {"qualified": "yes"}}, "bad-value", "buying_group.qualified"),
        ({"buying_group": {"role": "chief"}}, "bad-value", "buying_group.role"),
        ({"buying_group": {"role": []}}, "bad-value", "buying_group.role"),
        ({"buying_group": {"role": {"at_least": 1}}}, "missing-key", "buying_group.role"),
        ({"buying_group": {"role": [{"name": "chief", "least": 1}]}}, "unknown-key", "buying_group.role.0.least"),
        ({"buying_group": {"role": [{"name": "chif"}]}}, "unknown-role", "buying_group.role.0.name"),
        ({"buying_group": {"solution_interest": ["grid", "water"], "role": {"name": "champion"}}}, "unknown-role", "buying_group.role.name"),
        ({"buying_group": {"role": {"name": "chief", "at_least": -1}}}, "bad-value", "buying_group.role.at_least"),
        ({"buying_group": {"role": {"name": "chief", "at_most": 0}}}, "bad-value", "buying_group.role.at_most"),
        ({"member_of": {}}, "wrong-context", "member_of"),
        ({"people": {"when": {"member_of": {"role": "chif"}}}}, "unknown-role", "people.when.member_of.role"),
        ({"people": {"when": {"member_of": {"removed": 1}}}}, "bad-value", "people.when.member_of.removed"),
        ({"people": {"when": {"buying_group": {}}}}, "wrong-context", "people.when.buying_group"),
        ({"person": {"engagement": {"contains": "5"}}}, "operator-type-mismatch", "person.engagement.contains"),
        ({"did": {"event": ["form_filled"]}}, "missing-key", "did"),
        ({"did": {"event": "form_fild"}}, "unknown-event", "did.event"),
        ({"did": {"event": "form_filled", "type": "web"}}, "unknown-key", "did.type"),
        ({"did": {"event": "form_filled", "where": {"frm": "x"}}}, "unknown-key", "did.where.frm"),
        ({"did": {"event": "form_filled", "at_least": 0}}, "bad-value", "did.at_least"),
        ({"did": {"event": "form_filled", "people": 10**12}}, "bad-value", "did.people"),
        ({"did": {"event": "form_filled", "within": "1 fortnight"}}, "bad-duration", "did.within"),
        ({"did": {"event": "form_filled", "since": ["n"]}}, "unknown-node", "did.since"),
        ({"did": {"event": "event"}}, "missing-key", "did.event"),
        ({"did": {"event": "event", "type": "x", "where": {"a": {"at_least": "b"}}}}, "bad-value", "did.where.a.at_least"),
        ({"did": {"event": "email_sent", "where": {"template": ["welcom"]}}}, "unknown-template", "did.where.template"),
        ({"did": {"event": "account_changed", "where": {"field": {"is_not": "naem"}}}}, "unknown-field", "did.where.field"),
    ],
)  # fmt: skip
def test_every_mistake_is_reported_once_at_its_place(
    condition: object, code: str, place: str
) -> None:
    parsed, problems = read(condition)
    assert parsed is None
    assert problems == [(code, place)]


@pytest.mark.parametrize(
    ("condition", "code", "place"),
    [
        ({"people": {"when": {}}}, "wrong-context", "people"),
        ({"did": {"event": "form_filled", "people": 2}}, "wrong-context", "did.people"),
        ({"did": {"event": "account_changed"}}, "wrong-context", "did.event"),
    ],
)
def test_what_a_condition_on_people_cannot_say(condition: object, code: str, place: str) -> None:
    assert read(condition, "person") == (None, [(code, place)])


@pytest.mark.parametrize(
    ("condition", "code", "place"),
    [
        ({"buying_group": {}}, "wrong-context", "buying_group"),
        ({"audience": "folk"}, "wrong-context", "audience"),
        ({"audience": ["firms"]}, "unknown-audience", "audience"),
        ({"people": {"when": {"audience": "firms"}}}, "wrong-context", "people.when.audience"),
        ({"did": {"event": "email_sent"}}, "event-not-in-platform", "did.event"),
        ({"did": {"event": "event", "type": "email_sent"}}, "event-not-in-platform", "did.type"),
        ({"did": {"event": "form_filled", "since": "entry"}}, "wrong-context", "did.since"),
    ],
)
def test_what_an_audience_cannot_say(condition: object, code: str, place: str) -> None:
    assert read(condition, scope=PLATFORM) == (None, [(code, place)])


@pytest.mark.parametrize(
    "condition",
    [
        {"buying_group": {"solution_interest": "broken", "stage": "any", "role": {"name": "any"}}},
        {"buying_group": {"solution_interest": {"is_not": "grid"}, "stage": ["lost", ""]}},
        {"buying_group": {"stage": {"contains": "p"}, "role": {"name": "champion", "at_least": 0, "at_most": 0}}},
        {"people": {"when": {"member_of": {"solution_interest": "grid", "role": "chief", "stage": {"empty": True}}}}},
    ],
)  # fmt: skip
def test_names_are_those_of_the_solution_interests_asked_for(condition: object) -> None:
    parsed, problems = read(condition)
    assert problems == []
    assert parsed is not None


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        ({"member_of": {}}, "member_of"),
        ({"buying_group": {}}, "buying_group"),
        ({"not": {"any": [{"people_list": "members"}]}}, "not.any.0.people_list"),
        ({"account_list": "grouped"}, "account_list"),
        ({"heard": "n"}, "heard"),
        ({"did": {"event": "form_filled", "since": "entry"}}, "did.since"),
    ],
)
def test_a_roles_template_does_not_ask_for_what_it_decides(condition: object, place: str) -> None:
    scope = replace(
        SCOPE,
        in_journey=False,
        of_template=True,
        people_lists={
            "members": KnownList(dynamic=True, when=model.Not(of=model.MemberOf())),
            "plain": KnownList(),
        },
        account_lists={"grouped": KnownList(dynamic=True, when=model.HasBuyingGroup())},
    )
    assert read(condition, "person", scope) == (None, [("wrong-context", place)])
    fine = {"people_list": "plain", "person": {"engagement": {"at_least": 5}}}
    assert read(fine, "person", scope)[1] == []


def test_engagement_lives_in_the_engage_store() -> None:
    asked = {"person": {"engagement": {"at_least": 40}}}
    assert read(asked, scope=PLATFORM) == (None, [("wrong-context", "person.engagement")])
    assert read(asked, "person")[1] == []


def test_an_audience_may_name_another_of_its_kind() -> None:
    assert read({"audience": "firms"}, scope=PLATFORM)[0] == model.InAudience(audience="firms")
    assert read({"people": {"when": {"audience": "folk"}}}, scope=PLATFORM)[1] == []


@pytest.mark.parametrize(
    ("test", "kind"),
    [
        ("x", "string"),
        (5, "number"),
        ([5, "x"], "string"),
        (True, "boolean"),
        ({"at_least": 5}, "number"),
        ({"contains": "5"}, "string"),
        ({"is": 5, "contains": "5"}, "string"),
        ({"in_past": "3 days"}, "datetime"),
        ({"between": ["2026-01-01", "2026-02-01"]}, "datetime"),
        ({"between": [1, 2]}, "number"),
        ({"empty": True}, "string"),
    ],
)
def test_a_field_nobody_declared_has_the_type_of_what_is_asked(test: object, kind: str) -> None:
    def report(code: str, path: object, message: str, **_: object) -> None:
        raise AssertionError(message)

    event = parse_event("event", {"type": "webinar", "where": {"f": test}}, (), SCOPE, report)
    assert event is not None
    assert event.where["f"].type == kind


def test_changes_are_tested_by_the_type_of_the_changed_field() -> None:
    did = {"event": "account_changed", "where": {"field": "employees", "to": {"at_least": 5}}}
    parsed, problems = read({"did": did})
    assert problems == []
    assert parsed.where["to"].type == "integer"


@pytest.mark.parametrize("text", ["", "x", "2026-02-30", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])  # fmt: skip
def test_what_is_no_moment_is_said_never_raised(text: str) -> None:
    for kind in ("date", "datetime"):
        with pytest.raises(UnfitOperand):
            read_moment(text, kind)  # type: ignore[arg-type]


def test_a_text_keeps_what_was_written() -> None:
    assert read_value(True, "string") == "true"
    assert read_value("0420", "string") == "0420"
