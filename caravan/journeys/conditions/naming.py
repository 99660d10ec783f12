"""What conditions name: audiences, and lists, which are put in their place where they are dynamic."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel

from caravan.journeys.conditions import model
from caravan.journeys.conditions.model import Condition

ListOf = Literal["accounts", "people"]
#: whom it is of, and its slug
ListName = tuple[ListOf, str]


def parts_of(condition: Condition) -> tuple[Condition, ...]:
    """The conditions a condition is made of."""
    match condition:
        case model.All(of=parts) | model.Any(of=parts):
            return parts
        case model.Not(of=part) | model.People(when=part):
            return (part,)
        case model.InList(when=when) if when is not None:
            return (when,)
        case _:
            return ()


def walk(condition: Condition) -> Iterator[Condition]:
    """A condition and all it is made of."""
    yield condition
    for part in parts_of(condition):
        yield from walk(part)


def audiences_named(condition: Condition) -> set[str]:
    """The audiences a condition asks for, also by way of dynamic lists."""
    return {one.audience for one in walk(condition) if isinstance(one, model.InAudience)}


def lists_named(condition: Condition) -> set[ListName]:
    """The lists a condition asks for."""
    return {(one.of, one.list) for one in walk(condition) if isinstance(one, model.InList)}


def audiences_anywhere(value: Any) -> set[str]:
    """The audiences that the conditions somewhere in a plan ask for, wherever they stand."""
    found: set[str] = set()
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, model.InAudience):
            found.add(one.audience)
        elif isinstance(one, BaseModel):
            todo += [getattr(one, name) for name in type(one).model_fields]
        elif isinstance(one, dict):
            todo += one.values()
        elif isinstance(one, list | tuple):
            todo += one
    return found


def in_place(condition: Condition, conditions: Mapping[ListName, Condition]) -> Condition:
    """A condition with the conditions of the dynamic lists it names put in their place."""
    match condition:
        case model.All(of=parts):
            return model.All(of=tuple(in_place(part, conditions) for part in parts))
        case model.Any(of=parts):
            return model.Any(of=tuple(in_place(part, conditions) for part in parts))
        case model.Not(of=part):
            return model.Not(of=in_place(part, conditions))
        case model.People(when=part):
            return condition.model_copy(update={"when": in_place(part, conditions)})
        case model.InList(of=of, list=slug):
            return condition.model_copy(update={"when": conditions.get((of, slug))})
        case _:
            return condition
