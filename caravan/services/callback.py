"""A callback: what a service answers, checked against the contract and against what was asked.

Kept as parts, one for the account and one a person, so that settling a call reads one shape whatever
kind of entity the service serves.
"""

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from caravan.journeys.service import Of
from caravan.journeys.written import storable
from caravan.services.errors import BadCallback

#: where services answer, below the public address
CALLBACK_PATH = "/submitExternalAction/callback"

#: what no field or accessor needs, and no store should be asked to hold
DEEPEST = 20
LONGEST_NUMBER = 10**30

Id = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, populate_by_name=True)


class _Activity(_Wire):
    success: bool
    code: str | None = Field(None, alias="errorCode")
    reason: str | None = None


class _Record(_Wire):
    """Account or lead: an id, accessors, and whatever fields else."""

    model_config = ConfigDict(extra="allow")

    id: Id
    accessors: dict[str, Any] | None = Field(None, alias="accessorValues")

    def fields(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class _AccountPerson(_Wire):
    model_config = ConfigDict(extra="forbid")

    relation: Id = Field(alias="accountPersonRelId")
    account: Id = Field(alias="accountId")
    person: Id = Field(alias="personId")
    lead: dict[str, Any] | None = Field(None, alias="leadData")
    accessors: dict[str, Any] | None = Field(None, alias="accessorValues")


class _Item(_Wire):
    activity: _Activity = Field(alias="activityData")
    lead: _Record | None = Field(None, alias="leadData")
    account: _Record | None = Field(None, alias="accountData")
    people: list[_AccountPerson] | None = Field(None, alias="accountPersonData")


class _Callback(_Wire):
    items: list[_Item] = Field(alias="objectData", min_length=1)


class Part(BaseModel):
    """What was said of one account or person."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ok: bool = True
    reason: str | None = None
    fields: dict[str, Any] = {}
    accessors: dict[str, Any] = {}


class Parts(BaseModel):
    """A whole answer; ``ok`` is the service's word on the request itself."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ok: bool = True
    reason: str | None = None
    account: Part | None = None
    people: dict[int, Part] = {}


class Asked(BaseModel):
    """What a callback may speak of: its own call's account and people, by our ids."""

    model_config = ConfigDict(frozen=True)

    about: Of
    account_id: int
    person_id: int = 0
    relations: dict[int, int] = {}  # person → relation, where the account's people are meant


def read_callback(content: bytes, asked: Asked) -> Parts:
    """A callback's body.

    Raises:
        BadCallback: it breaks the contract, or speaks of what was not asked.
    """
    try:
        body = _Callback.model_validate(_parsed(content))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        raise BadCallback(f"{place}: {first['msg']}") from None
    match asked.about:
        case "account":
            return _of_account(body, asked)
        case "people":
            return _of_person(body, asked)
        case "account_people":
            return _of_account_people(body, asked)


def _of_account(body: _Callback, asked: Asked) -> Parts:
    item, record = _only(body, "accountData", [one.account for one in body.items])
    _same(record.id, asked.account_id, "accountData.id")
    part = _part(item, record.fields(), record.accessors)
    return Parts(ok=part.ok, reason=part.reason, account=part)


def _of_person(body: _Callback, asked: Asked) -> Parts:
    item, record = _only(body, "leadData", [one.lead for one in body.items])
    _same(record.id, asked.person_id, "leadData.id")
    part = _part(item, record.fields(), record.accessors)
    return Parts(ok=part.ok, reason=part.reason, people={record.id: part})


def _of_account_people(body: _Callback, asked: Asked) -> Parts:
    """An answer may come in several items; each person counts once, as first named."""
    people: dict[int, Part] = {}
    account: Part | None = None
    for item in body.items:
        if item.people is None:
            raise BadCallback("objectData: accountPersonData is missing")
        for one in item.people:
            _same(one.account, asked.account_id, "accountPersonData.accountId")
            if asked.relations.get(one.person) != one.relation:
                raise BadCallback("accountPersonData: not a person and relation of the request")
            people.setdefault(one.person, _part(item, one.lead or {}, one.accessors))
        if item.account is not None:
            _same(item.account.id, asked.account_id, "accountData.id")
            account = account or _part(item, item.account.fields(), item.account.accessors)
    return Parts(
        ok=any(item.activity.success for item in body.items),
        reason=_reason(body.items[0].activity),
        account=account,
        people=people,
    )


def _only(body: _Callback, key: str, records: list[_Record | None]) -> tuple[_Item, _Record]:
    """The one record of a request that was about one."""
    if len(records) != 1:
        raise BadCallback("objectData: one object was asked about")
    if records[0] is None:
        raise BadCallback(f"objectData: {key} is missing")
    return body.items[0], records[0]


def _same(given: int, asked: int, place: str) -> None:
    if given != asked:
        raise BadCallback(f"{place}: not the id of the request")


def _part(item: _Item, fields: dict[str, Any], accessors: Mapping[str, Any] | None) -> Part:
    return Part(
        ok=item.activity.success,
        reason=_reason(item.activity),
        fields=fields,
        accessors=dict(accessors or {}),
    )


def _reason(activity: _Activity) -> str | None:
    if activity.success:
        return None
    told = ": ".join(filter(None, (activity.code, activity.reason)))
    return told[:500] or "the service says it did not succeed"


def _parsed(content: bytes) -> Any:
    """JSON a store can hold: no NUL, no half characters, no numbers without end, not too deep."""
    try:
        body = json.loads(content, parse_constant=_no_number, parse_float=_finite)
        _check(body, 0)
    except RecursionError:
        raise BadCallback("the body is nested too deeply") from None
    except ValueError as error:
        raise BadCallback(f"the body is not JSON: {error}") from None
    return body


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _check(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise BadCallback("the body is nested too deeply")
    match value:
        case str() if not storable(value):
            raise BadCallback("a text holds NUL or half a character")
        case int() if abs(value) > LONGEST_NUMBER:
            raise BadCallback("a number is too large")
        case dict():
            for key, inner in value.items():
                _check(key, depth)
                _check(inner, depth + 1)
        case list():
            for inner in value:
                _check(inner, depth + 1)
