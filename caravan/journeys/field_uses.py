"""Which fields of records a plan, a condition or any part of them speaks of."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel

from caravan.journeys.actions.update_account import UpdateAccount
from caravan.journeys.actions.update_opportunity import UpdateOpportunity
from caravan.journeys.actions.update_person import UpdatePerson
from caravan.journeys.conditions import model
from caravan.journeys.conditions.model import Test
from caravan.journeys.fields import STANDARD, Entity, FieldCatalog, FieldType
from caravan.journeys.liquid import BadLiquid, body_variables, has_liquid
from caravan.journeys.nodes.listen import ListenEvent
from caravan.journeys.nodes.wait import FieldMoment
from caravan.journeys.plan import Plan
from caravan.journeys.service import FieldOf
from caravan.journeys.zones import ACCOUNT

#: events that tell of a field, named by their own field `field`
CHANGES: dict[str, Entity] = {
    "account_changed": "account",
    "person_changed": "person",
    "opportunity_changed": "opportunity",
}


class FieldUse(NamedTuple):
    """A field that something speaks of."""

    entity: Entity
    field: str


def fields_used(part: Any) -> set[FieldUse]:
    """The fields that a plan, or whatever is part of one, speaks of: in conditions, actions, waits, texts."""
    used = {use for one in _parts(part) for use in _uses_of(one)}
    if isinstance(part, Plan) and _by_the_accounts_clock(part):
        used.add(FieldUse("account", "time_zone"))
    return used


def tested_fields(condition: model.Condition) -> set[tuple[FieldUse, FieldType]]:
    """The managed fields that a condition tests, with the type it takes them to be of."""
    return {
        (FieldUse(entity, name), test.type)
        for one in _parts(condition)
        for entity, tests in _tests_of(one)
        for name, test in tests.items()
        if name not in STANDARD[entity] and test.start is None
    }


def _parts(value: Any) -> Iterator[Any]:
    """Whatever a value is made of, itself included; what a workspace declares is not what it uses."""
    todo = [value]
    while todo:
        one = todo.pop()
        yield one
        if isinstance(one, BaseModel) and not isinstance(one, FieldCatalog):
            todo += [getattr(one, name) for name in type(one).model_fields]
        elif isinstance(one, dict):
            todo += one.values()
        elif isinstance(one, list | tuple):
            todo += one


def _tests_of(one: Any) -> Iterator[tuple[Entity, dict[str, Test]]]:
    match one:
        case model.AccountIs(tests=tests):
            yield "account", tests
        case model.PersonIs(tests=tests):
            yield "person", tests
        case model.HasOpportunity(tests=tests):
            yield "opportunity", tests


def _uses_of(one: Any) -> Iterator[FieldUse]:
    for entity, tests in _tests_of(one):
        yield from (FieldUse(entity, name) for name in tests)
    match one:
        case UpdateAccount(field=field) | FieldMoment(account=field):
            yield FieldUse("account", field)
        case UpdatePerson(field=field):
            yield FieldUse("person", field)
        case UpdateOpportunity(field=field):
            yield FieldUse("opportunity", field)
        case FieldOf(entity=entity, field=field):
            yield FieldUse(entity, field)
        case ListenEvent(type=type_, where=where) | model.Did(type=type_, where=where):
            if type_ in CHANGES and "field" in where:
                for check in where["field"].checks:
                    yield from (FieldUse(CHANGES[type_], str(name)) for name in check.operands)
        case str() if has_liquid(one):
            yield from _spoken_of(one)


def _spoken_of(text: str) -> Iterator[FieldUse]:
    """The fields that a text with Liquid speaks of."""
    try:
        used, _ = body_variables(text)
    except BadLiquid:  # a part of a text, which as a whole was read when it was published
        return
    entities: dict[str, Entity] = {"account": "account", "person": "person"}
    for one in used:
        if one.segments[0] in entities and len(one.segments) > 1:
            yield FieldUse(entities[one.segments[0]], str(one.segments[1]))


def _by_the_accounts_clock(plan: Plan) -> bool:
    return plan.zone_of_account or any(
        ACCOUNT in (getattr(one, "zone", None), getattr(one, "rest_zone", None))
        for one in _parts(plan)
        if isinstance(one, BaseModel)
    )
