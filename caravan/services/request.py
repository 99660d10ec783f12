"""The request of a call, as the contract has it: whom it is about, what is told, what paths there are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from caravan.journeys.conditions.model import Check
from caravan.journeys.nodes.call import Call
from caravan.journeys.nodes.paths import OTHERWISE, names
from caravan.journeys.service import FieldOf, Scalar, Service
from caravan.journeys.written import as_written
from caravan.services.definition import ENTITY_TYPES, DataType, Definition, Mapped

#: our operators in the contract's words; a test without one is not described to the service
OPERATORS = {
    "is": "is",
    "is_not": "isNot",
    "greater_than": "greaterThan",
    "at_least": "greaterThanOrEqual",
    "less_than": "lessThan",
    "at_most": "lessThanOrEqual",
    "contains": "contains",
    "not_contains": "notContains",
}


@dataclass(frozen=True)
class Called:
    """An account or a person as it is told of: our id, and its data."""

    id: int
    outside_id: str
    attributes: Mapping[str, Any]
    relation_id: int = 0
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class JourneyToldOf:
    """The context of a request."""

    munchkin: str
    slug: str
    name: str
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True)
class Question:
    """Everything one request says, but the secrets among the attributes."""

    node: Call
    journey: JourneyToldOf
    account: Called
    people: tuple[Called, ...] = ()  # the one person of a lead's, all of an accountPerson's
    values: Mapping[str, Scalar | None] = field(default_factory=dict)
    minutes: int = 0
    token: str = ""
    callback_url: str = ""


def execution_request(
    question: Question,
    service: Service,
    definition: Definition,
    attributes: Mapping[str, Scalar],
) -> dict[str, Any]:
    """The body of ``POST /submitAsyncAction``.

    Args:
        question: what is asked.
        service: whose mapping says which fields go out.
        definition: which fields the service knows, and of what type.
        attributes: the service's global attributes, secrets among them.
    """
    body: dict[str, Any] = {
        "token": question.token,
        "callbackUrl": question.callback_url,
        "context": _context(question, definition, attributes),
        "objectData": {
            "objectType": ENTITY_TYPES[question.node.of],
            "objectContext": _subject(question, service, definition),
            "flowStepContext": dict(question.values),
        },
        "actionConfig": {"timeout": question.minutes},
        "enableSplitPaths": bool(question.node.paths),
    }
    paths = _paths(question.node)
    if paths:
        body["actionConfig"]["pathConfig"] = paths
    return body


def _context(
    question: Question, definition: Definition, attributes: Mapping[str, Scalar]
) -> dict[str, Any]:
    told: dict[str, Any] = {"admin": dict(attributes)}
    journey = question.journey
    if definition.invocation.subscription_context:
        told["subscription"] = {"prefix": journey.munchkin, "munchkinId": journey.munchkin}
    if definition.invocation.journey_context:
        told["journey"] = {"id": journey.slug, "name": journey.name, "status": "Live"}
        for key, at in (("startDate", journey.starts_at), ("endDate", journey.ends_at)):
            if at is not None:
                told["journey"][key] = _instant(at)
    return told


def _subject(question: Question, service: Service, definition: Definition) -> dict[str, Any]:
    account_fields = definition.invocation.account_fields or []
    account = {
        "accountId": str(question.account.id),
        "accountData": _told("account", question.account, service, account_fields),
    }
    fields = definition.invocation.fields or []
    match question.node.of:
        case "account":
            return account
        case "people":
            [person] = question.people
            return {
                "leadId": str(person.id),
                "leadData": _told("person", person, service, fields),
            }
        case "account_people":
            return account | {
                "accountPersonRelationships": [
                    {
                        "accountPersonRelId": person.relation_id,
                        "accountId": question.account.id,
                        "personId": person.id,
                        "leadData": _told("person", person, service, fields),
                        "relationshipMetadata": {"roles": list(person.roles)},
                    }
                    for person in question.people
                ]
            }


def _told(entity: str, record: Called, service: Service, known: list[Mapped]) -> dict[str, Any]:
    """The fields that the service knows and the operator sends."""
    told = {}
    for one in known:
        field = service.sends.get(one.name)
        if field is not None and field.entity == entity:
            told[one.name] = _value(record, field, one.type)
    return told


def _value(record: Called, field: FieldOf, wanted: DataType) -> Any:
    value = record.outside_id if field.is_outside_id else record.attributes.get(field.field)
    if value is None:
        return None
    match wanted:
        case "string":
            return as_written(value)
        case "integer":
            return int(value)
        case "float":
            return float(value)
        case "date":
            return str(value)[:10]
        case "datetime":
            return value if "T" in str(value) else f"{value}T00:00:00Z"
    return value


def _paths(node: Call) -> list[dict[str, Any]]:
    """The paths and what leads along each; none where the contract has no words for one of them.

    What the service makes of them is its own matter: the path is chosen here.
    """
    described = []
    for name, path in zip(names(node.paths), node.paths, strict=True):
        conditions = []
        for accessor, test in path.when.items():
            for check in test.checks:
                told = _condition(accessor, check)
                if not told:
                    return []
                conditions += told
        described.append({"pathId": name, "pathDefinition": conditions})
    if described:
        described.append({"pathId": OTHERWISE, "pathDefinition": []})
    return described


def _condition(accessor: str, check: Check) -> list[dict[str, Any]]:
    values = [as_written(operand) for operand in check.operands]
    if check.operator == "between":
        bounds = zip(("greaterThanOrEqual", "lessThanOrEqual"), values, strict=True)
        return [{"accessor": accessor, "operator": op, "values": [v]} for op, v in bounds]
    if check.operator not in OPERATORS:
        return []
    return [{"accessor": accessor, "operator": OPERATORS[check.operator], "values": values}]


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
