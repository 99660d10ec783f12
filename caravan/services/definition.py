"""A service's definition: what it serves, needs and gives back, and whether a call fits it."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from caravan.journeys.conditions.model import Test
from caravan.journeys.fields import FieldCatalog, FieldType
from caravan.journeys.nodes.call import MOST_MINUTES, USUAL_MINUTES, Call
from caravan.journeys.service import FieldOf, FromEnvironment, Of, Scalar, Service
from caravan.services.errors import Refused

DataType = Literal["string", "integer", "float", "boolean", "date", "datetime"]
EntityType = Literal["lead", "account", "accountPerson"]

ENTITY_TYPES: dict[Of, EntityType] = {
    "account": "account",
    "people": "lead",
    "account_people": "accountPerson",
}

Name = Annotated[str, Field(min_length=1, max_length=200)]
_MOST = 500


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, populate_by_name=True)


class Attribute(_Wire):
    name: Name = Field(alias="apiName")
    type: DataType = Field(alias="dataType")
    required: bool = False


class Mapped(_Wire):
    name: Name = Field(alias="serviceAttribute")
    type: DataType = Field(alias="dataType")
    required: bool = False


class Header(_Wire):
    name: str
    value: str


class Accessor(_Wire):
    name: Name = Field(alias="accessorName")
    type: DataType = Field(alias="dataType")


class Invocation(_Wire):
    global_attributes: list[Attribute] = Field([], alias="globalAttributes", max_length=_MOST)
    flow_attributes: list[Attribute] = Field([], alias="flowAttributes", max_length=_MOST)
    fields: list[Mapped] | None = Field(None, max_length=_MOST)
    account_fields: list[Mapped] | None = Field(None, alias="accountFields", max_length=_MOST)
    headers: list[Header] = Field([], max_length=30)
    journey_context: bool = Field(True, alias="journeyContext")
    subscription_context: bool = Field(True, alias="subscriptionContext")
    accessors: list[Accessor] | None = Field(None, alias="accessorsMetadata", max_length=_MOST)


class Callback(_Wire):
    fields: list[Mapped] | None = Field(None, max_length=_MOST)
    account_fields: list[Mapped] | None = Field(None, alias="accountFields", max_length=_MOST)


class LocalName(_Wire):
    name: str
    description: str


class Names(_Wire):
    en_us: LocalName = Field(alias="en_US")


class Definition(_Wire):
    """``GET /getServiceDefinition``; what the contract leaves to us to ignore is ignored."""

    name: Name = Field(alias="apiName")
    names: Names = Field(alias="i18n")
    description: str
    primary_attribute: str = Field(alias="primaryAttribute")
    entity: EntityType = Field(alias="supportedEntityType")
    splits: bool = Field(alias="enableSplitPaths")
    timeout: int = Field(USUAL_MINUTES, ge=1, le=MOST_MINUTES)
    invocation: Invocation = Field(alias="invocationPayloadDef")
    callback: Callback = Field(alias="callbackPayloadDef")

    @model_validator(mode="after")
    def _has_what_its_entity_needs(self) -> Self:
        of_people = self.entity in ("lead", "accountPerson")
        of_accounts = self.entity in ("account", "accountPerson")
        for payload in (self.invocation, self.callback):
            if of_people and payload.fields is None:
                raise ValueError(f"a service of {self.entity} must have fields")
            if of_accounts and payload.account_fields is None:
                raise ValueError(f"a service of {self.entity} must have accountFields")
        if self.splits and self.invocation.accessors is None:
            raise ValueError("enableSplitPaths needs accessorsMetadata")
        return self


def read_definition(body: Any) -> Definition:
    """A definition as the service gave it.

    Raises:
        Refused: it is none by the contract; says where it breaks it first.
    """
    try:
        return Definition.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the definition"
        raise Refused(f"The definition breaks the contract at {place}: {first['msg']}") from None


def misfits(
    definition: Definition, service: Service, node: Call, catalog: FieldCatalog
) -> list[str]:
    """Why a call of a journey does not fit what the service says of itself; empty where it does."""
    found: list[str] = []
    if definition.entity != ENTITY_TYPES[node.of]:
        found.append(f"it serves {definition.entity}, the call is of {node.of}")
    found += _attributes("attributes", service.attributes, definition.invocation.global_attributes)
    found += _attributes("with", node.values, definition.invocation.flow_attributes)
    found += _sent(definition, service, catalog)
    found += _taken(definition, service)
    if node.paths and not definition.splits:
        found.append("it has no split paths, the call has")
    accessors = {one.name: one.type for one in definition.invocation.accessors or []}
    for path in node.paths:
        for name, test in path.when.items():
            if name not in accessors:
                found.append(f"it has no accessor {name}")
            elif not _fits(test, accessors[name]):
                found.append(f"the accessor {name} is {accessors[name]}, not {test.type}")
    return found


def _attributes(
    key: str, given: dict[str, Scalar | FromEnvironment] | dict[str, Scalar], known: list[Attribute]
) -> list[str]:
    names = {one.name for one in known}
    found = [f"it has no attribute {name} ({key})" for name in given if name not in names]
    found += [
        f"it needs the attribute {one.name} ({key})"
        for one in known
        if one.required and one.name not in given
    ]
    return found


def _sent(definition: Definition, service: Service, catalog: FieldCatalog) -> list[str]:
    found = []
    for entity, fields in (
        ("account", definition.invocation.account_fields),
        ("person", definition.invocation.fields),
    ):
        for one in fields or []:
            field = service.sends.get(one.name)
            if field is None or field.entity != entity:
                if one.required:
                    found.append(f"it needs the field {one.name} of the {entity} (fields: out)")
            elif not _convertible(type_of(field, catalog), one.type):
                found.append(f"its field {one.name} is {one.type}, ours is not")
    return found


def _taken(definition: Definition, service: Service) -> list[str]:
    known = {
        "account": {one.name for one in definition.callback.account_fields or []},
        "person": {one.name for one in definition.callback.fields or []},
    }
    return [
        f"it gives no field {name} of the {field.entity} (fields: in)"
        for name, field in service.takes.items()
        if name not in known[field.entity]
    ]


def type_of(field: FieldOf, catalog: FieldCatalog) -> FieldType:
    """The type of a field of ours."""
    return "string" if field.is_outside_id else catalog.of(field.entity)[field.field]


def _convertible(ours: FieldType, theirs: DataType) -> bool:
    wide: dict[DataType, tuple[FieldType, ...]] = {
        "string": ("string", "integer", "number", "boolean", "date", "datetime"),
        "integer": ("integer", "number"),
        "float": ("integer", "number"),
        "boolean": ("boolean",),
        "date": ("date", "datetime"),
        "datetime": ("date", "datetime"),
    }
    return ours in wide[theirs]


def _fits(test: Test, theirs: DataType) -> bool:
    """Whether a test can ask something of an accessor; texts are compared where dates are meant."""
    asked: dict[DataType, tuple[FieldType, ...]] = {
        "string": ("string",),
        "integer": ("integer", "number"),
        "float": ("integer", "number"),
        "boolean": ("boolean",),
        "date": ("date", "datetime", "string"),
        "datetime": ("date", "datetime", "string"),
    }
    empty_only = all(check.operator == "empty" for check in test.checks)
    return empty_only or test.type in asked[theirs]
