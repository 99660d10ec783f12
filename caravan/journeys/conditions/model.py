"""Conditions as data: a small tree that round-trips through JSON and is stored in plans."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from caravan.journeys.fields import FieldType

Operand = bool | int | float | str


class Check(BaseModel):
    """One operator of a test with its operands; several operands mean *or* (negative: none of)."""

    model_config = ConfigDict(frozen=True)

    operator: str
    operands: tuple[Operand, ...] = ()


class Test(BaseModel):
    """Checks on one value, ANDed.

    ``start`` is of a person's scores and engagement: what a person has who was given none.
    """

    __test__ = False
    model_config = ConfigDict(frozen=True)

    type: FieldType
    start: int | None = None
    checks: tuple[Check, ...]


class _Condition(BaseModel):
    model_config = ConfigDict(frozen=True)


class All(_Condition):
    kind: Literal["all"] = "all"
    of: "tuple[Condition, ...]" = ()


class Any(_Condition):
    kind: Literal["any"] = "any"
    of: "tuple[Condition, ...]" = ()


class Not(_Condition):
    kind: Literal["not"] = "not"
    of: "Condition"


class AccountIs(_Condition):
    """The account's attributes pass every test."""

    kind: Literal["account"] = "account"
    tests: dict[str, Test]


class PersonIs(_Condition):
    """People context: this person passes. Account context: some person of the account does."""

    kind: Literal["person"] = "person"
    tests: dict[str, Test]


class People(_Condition):
    """So many of the account's people meet a people condition."""

    kind: Literal["people"] = "people"
    when: "Condition"
    at_least: int = 1
    at_most: int | None = None


class RoleInAccount(_Condition):
    kind: Literal["role_in_account"] = "role_in_account"
    test: Test


class HasOpportunity(_Condition):
    kind: Literal["opportunity"] = "opportunity"
    tests: dict[str, Test]


class InAudience(_Condition):
    kind: Literal["audience"] = "audience"
    audience: str


class InList(_Condition):
    """In a list of the engage store: among its members, or, of a dynamic one, meeting its condition.

    A dynamic list is put in its place: the answer is as of the look and not of the last upkeep.
    """

    kind: Literal["list"] = "list"
    of: Literal["accounts", "people"]
    list: str
    zone: str = "UTC"  # whose days ``when`` means
    when: "Condition | None" = None  # None: a static list


class RoleCount(BaseModel):
    """So many members of a group play a role."""

    model_config = ConfigDict(frozen=True)

    name: str
    at_least: int = 1
    at_most: int | None = None


class _Group(_Condition):
    """A buying group that passes every test; ``qualified`` None: either way."""

    tests: dict[str, Test] = {}
    qualified: bool | None = None


class HasBuyingGroup(_Group):
    """The account has such a group, with so many members in these roles."""

    kind: Literal["buying_group"] = "buying_group"
    roles: tuple[RoleCount, ...] = ()


class MemberOf(_Group):
    """The person is a member of such a group, or, ``removed``, was one and was removed."""

    kind: Literal["member_of"] = "member_of"
    role: Test | None = None
    removed: bool = False


class Heard(_Condition):
    """The person's event ended one of these listens, at the traversal's latest visit there."""

    kind: Literal["heard"] = "heard"
    nodes: tuple[str, ...]


class Window(BaseModel):
    """How far back a ``did`` looks; none of them: all history."""

    model_config = ConfigDict(frozen=True)

    within: str | None = None  # a duration, as written
    since: str | None = None  # "entry" or a node
    in_journey: bool = False  # a journey's window opens before the entry, an audience's before now


class Did(_Condition):
    """Something was done: ``negated`` is ``did_not``."""

    kind: Literal["did"] = "did"
    type: str
    where: dict[str, Test] = {}
    at_least: int = 1
    people: int = 1
    window: Window = Window()
    negated: bool = False


Condition = Annotated[
    All
    | Any
    | Not
    | AccountIs
    | PersonIs
    | People
    | RoleInAccount
    | HasOpportunity
    | InAudience
    | InList
    | HasBuyingGroup
    | MemberOf
    | Heard
    | Did,
    Field(discriminator="kind"),
]

for _model in (All, Any, Not, People, InList):
    _model.model_rebuild()
