"""Parts of a plan in the words of documents: what a person reads where two plans are compared.

Not for reading in again: what a document may leave out is left out, lists of one are told as the one, and
what only the compiler is concerned with is not told.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from caravan.journeys.actions.base import BaseAction
from caravan.journeys.conditions import model
from caravan.journeys.control import EXIT
from caravan.journeys.durations import Span
from caravan.journeys.nodes.listen import ListenEvent
from caravan.journeys.time import LocalMoment

#: keys that documents spell otherwise
SPELT = {
    "for_": "wait",
    "actions": "do",
    "events": "listen",
    "values": "with",
    "outcome": "end",
    "from_": "from",
    "rest_zone": "wait zone",
    "Reentry.since": "from",
    "requalified": "requires requalified",
}
#: what is told by what stands around it, or is the compiler's own
UNTOLD = ("kind", "of_people", "in_journey", "acts", "scheme")


def retold(value: Any) -> Any:
    """A value of a plan as plain data, with the keys of documents."""
    match value:
        case model.Test():
            return _test(value)
        case model.All() | model.Any():
            return {value.kind: [retold(one) for one in value.of]}
        case model.Not():
            return {"not": retold(value.of)}
        case model.AccountIs() | model.PersonIs() | model.HasOpportunity():
            return {value.kind: {name: _test(test) for name, test in value.tests.items()}}
        case model.RoleInAccount():
            return {"role_in_account": _test(value.test)}
        case model.InAudience():
            return {"audience": value.audience}
        case model.InList():
            kind = "account_list" if value.of == "accounts" else "people_list"
            told: dict[str, Any] = {kind: value.list}
            return told if value.when is None else told | {"when": retold(value.when)}
        case model.Heard():
            return {"heard": _one_or_all(list(value.nodes))}
        case model.Did():
            return {"did_not" if value.negated else "did": _did(value)}
        case model.People():
            return {"people": _fields(value)}
        case BaseAction():
            return {value.kind: _fields(value)}  # type: ignore[attr-defined]
        case ListenEvent():
            return {
                value.event: {name: retold(test) for name, test in value.where.items()}
                | _fields(value, ("event", "type", "where"))
            }
        case Span():
            return str(value) if abs(value.count) != 1 else str(value)[:-1]
        case LocalMoment():
            return value.local
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case BaseModel():
            return _fields(value)
        case Mapping():
            return {str(key): retold(one) for key, one in value.items()}
        case tuple() | list():
            return [retold(one) for one in value]
    return value


def node_name(name: str) -> str:
    """A node as people call it: an exit's by its label."""
    return name.replace(":", " ", 1) if name.startswith(f"{EXIT}:") else name


def _fields(value: BaseModel, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """The fields that differ from their defaults."""
    told = {}
    for name, field in type(value).model_fields.items():
        given = getattr(value, name)
        if (
            name in UNTOLD
            or name in without
            or given == field.get_default(call_default_factory=True)
        ):
            continue
        spelt = SPELT.get(f"{type(value).__name__}.{name}", SPELT.get(name, name))
        told[spelt] = retold(given)
    return told


def _did(value: model.Did) -> dict[str, Any]:
    told = _fields(value, ("type", "where", "window", "negated"))
    where = {name: _test(test) for name, test in value.where.items()}
    return (
        {"event": value.type} | ({"where": where} if where else {}) | told | _fields(value.window)
    )


def _test(test: model.Test) -> Any:
    """``Energy`` for *is*, a list for *is one of*, else its operators."""
    if len(test.checks) == 1 and test.checks[0].operator == "is":
        return _one_or_all(list(test.checks[0].operands))
    return {check.operator: _one_or_all(list(check.operands)) for check in test.checks}


def _one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values
