"""Random conditions on random worlds: the SQL against a naive reading of the language in Python.

The evaluator below works on the documents as they are written and on plain Python values; it shares
no line with the compiler. Stored values include what no importer would write.
"""

import calendar
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from caravan.journeys.conditions.parse import Scope, parse_condition
from caravan.journeys.conditions.sql import Binder, compile_condition
from caravan.journeys.fields import FieldCatalog
from tests.world import World

NOW = datetime(2026, 3, 30, 0, 30, tzinfo=UTC)  # Europe's clocks were changed a day ago
ENTERED = NOW - timedelta(days=3)
ARRIVED = NOW - timedelta(days=1)
KINDS = {"name": "string", "size": "integer", "worth": "number", "live": "boolean",
         "signed": "date", "seen": "datetime"}  # fmt: skip
CATALOG = FieldCatalog(
    custom={"account": KINDS, "person": KINDS, "opportunity": KINDS}  # type: ignore[dict-item]
)
ROLES = ["Buyer", "user", "Straße"]
EVENTS = {
    "form_filled": "form",
    "page_visited": "url",
    "webinar": "title",
    "added_to_buying_group": "role",
}

# --- what is stored, and what is asked ----------------------------------------------------------

TEXTS = ["Acme", "ACME corp", "acme", "Straße", "STRASSE", "İstanbul", "ΌΣΟΣ", "όσος", "%", "_cme", "a\\b", "'", "0420", " "]  # fmt: skip
NUMBERS = [0, 7, -3, 7.5, 0.1, 420, 10**20, 2**63]
DAYS = ["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31", "2026-02-28", "2024-02-29", "0001-01-01", "9999-12-31"]  # fmt: skip
INSTANTS = ["2026-03-30T00:30:00Z", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-02-28T00:30:00.5Z",
            "2026-03-29 02:30:00+02:00", "2026-04-30T00:30:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]  # fmt: skip
JUNK = [None, "", True, False, "true", "now", "infinity", "2026-02-30", "0000-01-01", "June 1 2026", "2026-03-29x",
        " 7 ", "7e0", "1e999", "9" * 300, "NaN", [], {"a": 1}, [1, 2], "x" * 5000, "2026-03-29T25:00:00Z"]  # fmt: skip
SPANS = ["1 second", "1 hour", "1 day", "2 weeks", "1 month", "13 months", "9999999999 months"]

ANYTHING = [*TEXTS, *NUMBERS, *DAYS, *INSTANTS, *JUNK]
OPERANDS = {"string": TEXTS, "integer": [n for n in NUMBERS if n == int(n)], "number": NUMBERS,
            "boolean": [True, False], "date": DAYS, "datetime": [*INSTANTS, *DAYS[:3]]}  # fmt: skip
ORDERED = ["greater_than", "less_than", "at_least", "at_most"]
DATED = ["before", "after", "on_or_before", "on_or_after"]
RELATIVE = ["in_past", "in_past_before", "in_future", "in_future_after"]
OPERATORS = {
    "string": ["is", "is_not", "starts_with", "not_starts_with", "contains", "not_contains", "empty"],
    "integer": ["is", "is_not", *ORDERED, "between", "empty"],
    "number": ["is", "is_not", *ORDERED, "between", "empty"],
    "boolean": ["is", "is_not", "empty"],
    "date": ["is", "is_not", *DATED, "between", *RELATIVE, "empty"],
    "datetime": ["is", "is_not", *DATED, "between", *RELATIVE, "empty"],
}  # fmt: skip


@st.composite
def checks(draw: Any, kind: str) -> Any:
    """A test as it is written: a scalar, a list, or a mapping of operators."""
    one = st.sampled_from(OPERANDS[kind])
    some = st.lists(one, min_size=1, max_size=3)
    form = draw(st.integers(0, 5))
    if form == 0:
        return draw(one)
    if form == 1:
        return draw(some)
    asked = {}
    for operator in draw(st.lists(st.sampled_from(OPERATORS[kind]), min_size=1, max_size=2)):
        if operator == "empty":
            asked[operator] = draw(st.booleans())
        elif operator == "between":
            asked[operator] = [draw(one), draw(one)]
        elif operator in RELATIVE:
            asked[operator] = draw(st.sampled_from(SPANS) | st.lists(st.sampled_from(SPANS), min_size=1, max_size=2))  # fmt: skip
        else:
            asked[operator] = draw(one | some)
    return asked


def field_tests(kinds: dict[str, str]) -> Any:
    return st.sampled_from(sorted(kinds)).flatmap(
        lambda field: checks(kinds[field]).map(lambda test: {field: test})
    )


record_tests = st.lists(field_tests(KINDS), max_size=2).map(lambda some: {k: v for t in some for k, v in t.items()})  # fmt: skip


@st.composite
def histories(draw: Any, context: str, journey: bool) -> Any:
    event = draw(st.sampled_from(sorted(EVENTS)))
    where = draw(st.none() | checks("string").map(lambda test: {EVENTS[event]: test}))
    did: dict[str, Any] = (
        {"event": "event", "type": event} if event == "webinar" else {"event": event}
    )
    if event == "webinar" and draw(st.booleans()):
        where = {"worth": draw(checks("number").filter(lambda t: "empty" not in str(t)))}
    if where is not None:
        did["where"] = where
    if draw(st.booleans()):
        did["at_least"] = draw(st.integers(1, 3))
    if context == "account" and draw(st.booleans()):
        did["people"] = draw(st.integers(1, 3))
    if draw(st.booleans()):
        did["within"] = draw(st.sampled_from(SPANS))
    if journey and draw(st.booleans()):
        did["since"] = draw(st.sampled_from(["entry", "n", "never"]))
    return {draw(st.sampled_from(["did", "did_not"])): did}


INTERESTS, STAGES, STATUSES = ["grid", "water"], ["open", "won"], ["Hot", "straße", ""]
PLAYED = ["chief", "User", "Straße"]
SCORES = [Decimal(0), Decimal(50), Decimal(200) / 3, Decimal("66.67"), Decimal(100)]
#: what is tested of a group → the type, and what may be asked
OF_GROUP: dict[str, tuple[str, list[Any]]] = {
    "solution_interest": ("string", INTERESTS),
    "stage": ("string", STAGES),
    "status": ("string", STATUSES[:2]),
    "completeness": ("number", [0, 50, 66.67, 100]),
    "engagement": ("number", [0, 50, 66.67, 100]),
}


@st.composite
def numbers(draw: Any) -> Any:
    one = draw(st.sampled_from([0, 50, 66.67, 100]))
    return draw(st.sampled_from([one, {"at_least": one}, {"less_than": one}, {"is_not": [one, 7]}]))


@st.composite
def group_tests(draw: Any, context: str) -> Any:
    """What is asked of a buying group, and of who is in it."""
    asked: dict[str, Any] = {}
    for key in draw(st.lists(st.sampled_from(sorted(OF_GROUP)), max_size=2, unique=True)):
        kind, operands = OF_GROUP[key]
        one = st.sampled_from(operands)
        words = one | st.lists(one, min_size=1, max_size=2) | one.map(lambda w: {"is_not": w}) | st.just({"empty": True})  # fmt: skip
        asked[key] = draw(numbers() if kind == "number" else words)
    if draw(st.booleans()):
        asked["qualified"] = draw(st.booleans())
    role = st.sampled_from(PLAYED)
    if context == "account":
        counts = st.builds(
            lambda name, least, more: {"name": name, "at_least": least}
            | ({"at_most": least + more} if more is not None else {}),
            role, st.integers(0, 2), st.none() | st.integers(0, 1),
        )  # fmt: skip
        if draw(st.booleans()):
            asked["role"] = draw(counts | st.lists(counts, min_size=1, max_size=2) | role.map(lambda r: {"name": r}))  # fmt: skip
        return {"buying_group": asked}
    if draw(st.booleans()):
        asked["role"] = draw(role | role.map(lambda r: {"is_not": r}))
    if draw(st.booleans()):
        asked["removed"] = draw(st.booleans())
    return {"member_of": asked}


def conditions(context: str, journey: bool) -> Any:
    leaves = [
        st.builds(lambda tests, key: {key: tests}, record_tests, st.sampled_from(["account", "person", "opportunity"])),
        histories(context, journey),
        group_tests(context),
        numbers().map(lambda test: {"person": {"engagement": test}}),
    ]  # fmt: skip
    if context == "person":
        leaves.append(checks("string").map(lambda t: {"role_in_account": t}))
        role = st.sampled_from(ROLES)
        leaves.append(
            st.builds(lambda o, r: {"role_in_account": {o: r}}, st.sampled_from(["is", "is_not"]), role)
        )  # fmt: skip
    else:
        leaves.append(
            st.builds(
                lambda when, least, more: {
                    "people": {"when": when, "at_least": least}
                    | ({"at_most": least + more} if more is not None else {})
                },
                conditions("person", journey),
                st.integers(0, 2),
                st.none() | st.integers(0, 2),
            )
        )
    return st.recursive(
        st.one_of(leaves),
        lambda inner: st.one_of(
            inner.map(lambda c: {"not": c}),
            st.lists(inner, min_size=1, max_size=3).map(lambda cs: {"all": cs}),
            st.lists(inner, min_size=1, max_size=3).map(lambda cs: {"any": cs}),
        ),
        max_leaves=4,
    )


@dataclass
class Relation:
    account: int
    person: int
    roles: Any
    deleted: bool


@dataclass
class Event:
    type: str
    at: datetime
    account: int | None
    person: int | None
    fields: dict[str, Any]


@dataclass
class Group:
    """A buying group; ``members`` by number with the role and whether they were removed."""

    account: int
    interest: str
    stage: str | None
    status: str | None
    completeness: Decimal
    engagement: Decimal
    qualified: bool
    members: dict[int, tuple[str, bool]]


@dataclass
class Small:
    """A small world; accounts, people and opportunities by number, each with ``deleted``."""

    accounts: list[tuple[dict[str, Any], bool]]
    people: list[tuple[dict[str, Any], bool]]
    opportunities: list[tuple[int, dict[str, Any], bool]]
    relations: list[Relation]
    events: list[Event]
    groups: list[Group]
    engagement: dict[int, Decimal]


def world_of(seed: int) -> Small:
    """A world small enough to read, dense enough that conditions tell its records apart."""
    dice = Random(seed)

    def gone() -> bool:
        return dice.random() < 0.12

    def value(kind: str) -> Any:
        return dice.choice([*OPERANDS[kind], None] if dice.random() < 0.75 else [*ANYTHING])

    def record() -> dict[str, Any]:
        return {field: value(kind) for field, kind in KINDS.items() if dice.random() < 0.9}

    accounts = [(record(), gone()) for _ in range(dice.randint(1, 5))]
    people = [(record(), gone()) for _ in range(dice.randint(1, 8))]
    pairs = [(a, p) for a in range(len(accounts)) for p in range(len(people))]
    relations = [
        Relation(a, p, dice.choice([None, "junk", ["BUYER"], ["user", ""], ["Straße", "buyer"], ["x"]]), gone())
        for a, p in pairs if dice.random() < 0.5
    ]  # fmt: skip
    events = []
    for _ in range(dice.randint(0, 25)):
        whose = dice.choice(["account", "person", "person", "both"])
        events.append(
            Event(
                type=dice.choice(sorted(EVENTS)),
                at=NOW - timedelta(seconds=dice.choice(AGO)) + timedelta(microseconds=dice.choice([-1, 0, 0, 1])),
                account=dice.randrange(len(accounts)) if whose != "person" else None,
                person=dice.randrange(len(people)) if whose != "account" else None,
                fields={name: value("string") for name in EVENTS.values() if dice.random() < 0.7}
                | {"worth": value("number")},
            )
        )  # fmt: skip
    opportunities = [
        (dice.randrange(len(accounts)), record(), gone()) for _ in range(dice.randint(0, 6))
    ]
    groups = [
        Group(
            account, interest, dice.choice([None, *STAGES]), dice.choice([None, *STATUSES]),
            dice.choice(SCORES), dice.choice(SCORES), dice.random() < 0.5,
            {p: (dice.choice(PLAYED), gone()) for p in range(len(people)) if dice.random() < 0.5},
        )
        for account in range(len(accounts)) for interest in INTERESTS if dice.random() < 0.6
    ]  # fmt: skip
    engagement = {p: dice.choice(SCORES) for p in range(len(people)) if dice.random() < 0.7}
    return Small(accounts, people, opportunities, relations, events, groups, engagement)


#: the edges of all windows, and an hour beside those that the clock of a zone may move
AGO = [0, 1, 3600, 82_800, 86_400, 90_000, 14 * 86_400, 3 * 86_400, 4 * 86_400, 4 * 86_400 - 3600,
       3 * 86_400 + 1, 30 * 86_400, 31 * 86_400, 31 * 86_400 + 3600, -1, -5, -86_400]  # fmt: skip
worlds = st.integers(0, 2**32).map(world_of)


# --- the naive reading --------------------------------------------------------------------------


def moved(at: datetime, span: str, sign: int, zone: ZoneInfo) -> datetime:
    """On the local clock where the unit is a calendar one; a skipped time moves on, of two the first."""
    count, unit = int(span.split()[0]), span.split()[1].rstrip("s")
    if count > 10**6:
        return datetime.max.replace(tzinfo=UTC) if sign > 0 else datetime.min.replace(tzinfo=UTC)
    if unit in ("second", "minute", "hour"):
        seconds = {"second": 1, "minute": 60, "hour": 3600}[unit]
        return at + sign * timedelta(seconds=count * seconds)
    local = at.astimezone(zone).replace(tzinfo=None)
    if unit == "month":
        months = local.year * 12 + local.month - 1 + sign * count
        year, month = divmod(months, 12)
        day = min(local.day, calendar.monthrange(year, month + 1)[1])
        local = local.replace(year=year, month=month + 1, day=day)
    else:
        local += sign * timedelta(days=count * (7 if unit == "week" else 1))
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def valued(raw: Any, kind: str) -> Any:
    """A stored value as one of its field's type; what does not fit is null."""
    if raw is None:
        return None
    text = raw if isinstance(raw, str) else json.dumps(raw)
    try:
        if kind == "string":
            return text or None
        if kind in ("integer", "number"):
            numeric = not isinstance(raw, bool) and isinstance(raw, int | float)
            short = isinstance(raw, str) and len(raw) < 100
            written = re.fullmatch(r"\s*-?\d+(\.\d+)?(e\d{1,2})?\s*", text)
            return Decimal(text) if numeric or (short and written) else None
        if kind == "boolean":
            return {"true": True, "false": False}.get(text.lower())
        if kind == "date":
            return date.fromisoformat(text[:10]) if text[10:11] in ("", "T", " ") else None
        instant = datetime.fromisoformat(text) if re.match(r"\d{4}-", text) else None
        return instant and (instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant)
    except (ValueError, OverflowError):
        return None


def passes(test: Any, raw: Any, kind: str, now: datetime, zone: ZoneInfo) -> bool:
    value = valued(raw, kind)
    asked = test if isinstance(test, dict) else {"is": test}
    return all(_passes(op, operand, value, kind, now, zone) for op, operand in asked.items())


def _passes(
    operator: str, operand: Any, value: Any, kind: str, now: datetime, zone: ZoneInfo
) -> bool:
    if operator == "empty":
        return (value is None) is operand
    for negative, positive in (("is_not", "is"), ("not_starts_with", "starts_with"), ("not_contains", "contains")):  # fmt: skip
        if operator == negative:
            return not _passes(positive, operand, value, kind, now, zone)
    if value is None:
        return False
    operands = operand if isinstance(operand, list) else [operand]
    if operator in RELATIVE:
        return any(_relative(operator, value, span, kind, now, zone) for span in operands)
    if kind == "string":
        value, words = value.casefold(), [str(one).casefold() for one in operands]
        compare: dict[str, Callable[[str], bool]] = {
            "is": value.__eq__, "starts_with": value.startswith, "contains": value.__contains__
        }  # fmt: skip
        return any(compare[operator](word) for word in words)
    wanted = [valued(one, kind) for one in operands]
    if operator == "between":
        return bool(wanted[0] <= value <= wanted[1])
    return any(
        {"is": value == one, "greater_than": value > one, "after": value > one, "less_than": value < one,
         "before": value < one, "at_least": value >= one, "on_or_after": value >= one,
         "at_most": value <= one, "on_or_before": value <= one}[operator]
        for one in wanted
    )  # fmt: skip


def _relative(
    operator: str, value: Any, span: str, kind: str, now: datetime, zone: ZoneInfo
) -> bool:
    back, ahead = moved(now, span, -1, zone), moved(now, span, 1, zone)
    if kind == "date":
        days = [at.date() if at.year in (1, 9999) else at.astimezone(zone).date() for at in (back, now, ahead)]  # fmt: skip
        back, now, ahead = days  # type: ignore[assignment]
    return bool({
        "in_past": back <= value <= now, "in_past_before": value < back,
        "in_future": now <= value <= ahead, "in_future_after": value > ahead,
    }[operator])  # fmt: skip


@dataclass
class Reading:
    """The language, read naively."""

    small: Small
    journey: bool
    zone: ZoneInfo
    now: datetime = NOW

    def current(self) -> list[Relation]:
        return [
            r for r in self.small.relations
            if not (r.deleted or self.small.accounts[r.account][1] or self.small.people[r.person][1])
        ]  # fmt: skip

    def people_of(self, account: int) -> list[Relation]:
        return [r for r in self.current() if r.account == account]

    def holds(self, condition: dict[str, Any], account: int | None, person: int | None) -> bool:
        """About an account (person null), a person carried by an account, or a person alone."""
        return all(self._part(key, what, account, person) for key, what in condition.items())

    def _part(self, key: str, what: Any, account: int | None, person: int | None) -> bool:
        accounts = [account] if account is not None else [r.account for r in self.current() if r.person == person]  # fmt: skip
        match key:
            case "all":
                return all(self.holds(one, account, person) for one in what)
            case "any":
                return any(self.holds(one, account, person) for one in what)
            case "not":
                return not self.holds(what, account, person)
            case "account":
                return any(self._fits(what, self.small.accounts[a][0]) for a in accounts)
            case "opportunity":
                return any(
                    self._fits(what, attributes)
                    for of, attributes, gone in self.small.opportunities
                    if of in accounts and not gone
                )
            case "person":
                assert account is not None or person is not None
                people = [person] if person is not None else [r.person for r in self.people_of(account or 0)]  # fmt: skip
                return any(self._person(what, p) for p in people)
            case "buying_group":
                return any(self._group(what, g) for g in self.small.groups if g.account == account)
            case "member_of":
                return any(
                    self._group(what, g)
                    for g in self.small.groups
                    if (g.account == account if account is not None else not self.small.accounts[g.account][1])
                    and person in g.members
                    and self._plays(what, *g.members[person])
                )  # fmt: skip
            case "people":
                count = sum(self.holds(what["when"], account, r.person) for r in self.people_of(account or 0))  # fmt: skip
                return bool(what.get("at_least", 1) <= count <= what.get("at_most", 99))
            case "role_in_account":
                return self._role(what, accounts, person)
            case "did":
                return self._did(what, account, person)
            case _:
                return not self._did(what, account, person)

    def _fits(self, tests: dict[str, Any], record: dict[str, Any]) -> bool:
        return all(passes(test, record.get(field), KINDS[field], self.now, self.zone) for field, test in tests.items())  # fmt: skip

    def _person(self, tests: dict[str, Any], person: int) -> bool:
        score = self.small.engagement.get(person, Decimal(0))
        return all(
            _told(test, score, "number") if field == "engagement" else self._fits({field: test}, self.small.people[person][0])
            for field, test in tests.items()
        )  # fmt: skip

    def _group(self, asked: dict[str, Any], group: Group) -> bool:
        own = {"solution_interest": group.interest, "stage": group.stage, "status": group.status,
               "completeness": group.completeness, "engagement": group.engagement}  # fmt: skip
        if any(key in asked and not _told(asked[key], own[key] if own[key] != "" else None, kind) for key, (kind, _) in OF_GROUP.items()):  # fmt: skip
            return False
        if asked.get("qualified", group.qualified) is not group.qualified:
            return False
        counts = asked.get("role", [])
        if not isinstance(counts, list | dict) or (
            isinstance(counts, dict) and "name" not in counts
        ):
            return True  # the person's own role
        playing = [role for role, gone in group.members.values() if not gone]
        return all(
            one.get("at_least", 1) <= sum(role.casefold() == one["name"].casefold() for role in playing) <= one.get("at_most", 99)
            for one in (counts if isinstance(counts, list) else [counts])
        )  # fmt: skip

    def _plays(self, asked: dict[str, Any], role: str, removed: bool) -> bool:
        return asked.get("removed", False) is removed and _told(asked.get("role", role), role, "string")  # fmt: skip

    def _role(self, test: Any, accounts: list[int], person: int | None) -> bool:
        relations = [
            r for r in self.small.relations if r.account in accounts and r.person == person
        ]
        roles = [role for r in relations if isinstance(r.roles, list) for role in r.roles if role]
        for operator, operand in (test if isinstance(test, dict) else {"is": test}).items():
            if operator == "empty":
                fits = (not roles) is operand
            else:
                each = [passes({operator: operand}, role, "string", self.now, self.zone) for role in roles]  # fmt: skip
                fits = all(each) if "not" in operator else any(each)
            if not fits:
                return False
        return True

    @staticmethod
    def _counts(event: Event, doers: set[int], account: int | None, person: int | None) -> bool:
        if event.type == "added_to_buying_group":  # one account's alone
            of_it = account is None or event.account == account
            return of_it and (person is None or event.person == person)
        return event.person in doers or (person is None and event.account == account)

    def _did(self, did: dict[str, Any], account: int | None, person: int | None) -> bool:
        start = datetime.min.replace(tzinfo=UTC)
        if "since" in did:
            start = {"entry": ENTERED, "n": ARRIVED, "never": datetime.max.replace(tzinfo=UTC)}[did["since"]]  # fmt: skip
        elif "within" in did:
            start = moved(ENTERED if self.journey else self.now, did["within"], -1, self.zone)
        doers = {person} if person is not None else {r.person for r in self.people_of(account or 0)}
        done = [
            event for event in self.small.events
            if event.type == did.get("type", did["event"]) and start <= event.at <= self.now
            and self._counts(event, doers, account, person)
            and all(
                passes(test, event.fields.get(field), "number" if field == "worth" else "string", self.now, self.zone)
                for field, test in did.get("where", {}).items()
            )
        ]  # fmt: skip
        return len(done) >= did.get("at_least", 1) and len({e.person for e in done}) >= did.get("people", 1)  # fmt: skip


def _told(test: Any, value: Any, kind: str) -> bool:
    """A test on a value that is of its type already."""
    if kind == "number":
        asked = test if isinstance(test, dict) else {"is": test}
        wanted = {op: [Decimal(str(one)) for one in (operand if isinstance(operand, list) else [operand])] for op, operand in asked.items()}  # fmt: skip
        return all(
            {"is": value in these, "is_not": value not in these,
             "at_least": value >= these[0], "less_than": value < these[0]}[op]
            for op, these in wanted.items()
        )  # fmt: skip
    return passes(test, value, kind, NOW, ZoneInfo("UTC"))


# --- the comparison -----------------------------------------------------------------------------


async def build(conn: Any, small: Small) -> None:
    """Write a small world; a record's number is its id, people's begin at 100."""
    at = {True: NOW, False: None}
    await conn.execute("set local session_replication_role = replica")
    await conn.executemany(
        "insert into accounts (id, external_id, attributes, deleted_at) values ($1::bigint, $1::bigint::text, $2, $3)",
        [(n, attributes, at[gone]) for n, (attributes, gone) in enumerate(small.accounts)],
    )
    await conn.executemany(
        "insert into people (id, external_id, attributes, deleted_at) values ($1::bigint, $1::bigint::text, $2, $3)",
        [(100 + n, attributes, at[gone]) for n, (attributes, gone) in enumerate(small.people)],
    )
    await conn.executemany(
        "insert into opportunities (id, external_id, account_id, attributes, deleted_at) values ($1::bigint, $1::bigint::text, $2, $3, $4)",
        [(n, of, attributes, at[gone]) for n, (of, attributes, gone) in enumerate(small.opportunities)],
    )  # fmt: skip
    await conn.executemany(
        "insert into relations (id, account_id, person_id, attributes, deleted_at) values ($1, $2, $3, $4, $5)",
        [
            (n, r.account, 100 + r.person, {} if r.roles is None else {"roles": r.roles}, at[r.deleted])
            for n, r in enumerate(small.relations)
        ],
    )  # fmt: skip
    await conn.executemany(
        "insert into activities (type, at, account_id, person_id, fields) values ($1, $2, $3, $4, $5)",
        [(e.type, e.at, e.account, None if e.person is None else 100 + e.person, e.fields) for e in small.events],
    )  # fmt: skip
    await conn.executemany(
        "insert into buying_groups (id, account_id, solution_interest, template_id, stage, status, completeness, engagement, qualified_at, created_at)"
        " overriding system value values ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9)",
        [
            (n, g.account, g.interest, g.stage, g.status, g.completeness, g.engagement, at[g.qualified], NOW)
            for n, g in enumerate(small.groups)
        ],
    )  # fmt: skip
    await conn.executemany(
        "insert into buying_group_members (group_id, person_id, role, source, added_at, removed_at) values ($1, $2, $3, 'job', $4, $5)",
        [
            (n, 100 + p, role, NOW, at[gone])
            for n, g in enumerate(small.groups)
            for p, (role, gone) in g.members.items()
        ],
    )
    await conn.executemany(
        "insert into engagement_people (person_id, score) values ($1, $2)",
        [(100 + p, score) for p, score in small.engagement.items()],
    )
    await conn.execute(
        "insert into steps (traversal_id, step_no, node, kind, visit, arrived_at, outcome) values (1, 1, 'n', 'do', 1, $1, '{}')",
        ARRIVED,
    )  # fmt: skip


#: who is asked about, and where they are found
ASKED = {
    ("account", True): "a.id as account, null::bigint as person from accounts a where a.deleted_at is null",
    ("person", True): "a.id as account, p.id as person from relations r join people p on p.id = r.person_id"
    " join accounts a on a.id = r.account_id where coalesce(r.deleted_at, p.deleted_at, a.deleted_at) is null",
    ("person", False): "null::bigint as account, p.id as person from people p where p.deleted_at is null",
}  # fmt: skip
ASKED["account", False] = ASKED["account", True]


def problem(code: str, path: object, message: str, **_: object) -> None:
    raise AssertionError(f"{code} at {path}: {message}")


def compiled(condition: dict[str, Any], context: Any, journey: bool) -> Any:
    nodes = frozenset({"n", "never"})
    scope = Scope(catalog=CATALOG, nodes=nodes, in_journey=journey)
    parsed = parse_condition(condition, context, (), scope, problem)
    assert parsed is not None
    assert type(parsed).model_validate_json(parsed.model_dump_json()) == parsed
    return parsed


MANY = settings(
    max_examples=30,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],  # a failure is read as drawn: to make it small takes minutes
    suppress_health_check=list(HealthCheck),
)
zones = st.sampled_from(["UTC", "Europe/Stockholm", "America/St_Johns"])


@pytest.mark.parametrize("journey", [True, False], ids=["journey", "audience"])
@pytest.mark.parametrize("context", ["account", "person"])
@MANY
@given(data=st.data())
async def test_sql_says_what_the_language_says(
    world: World, context: Any, journey: bool, data: Any
) -> None:
    small, zone = data.draw(worlds), data.draw(zones)
    asked = data.draw(st.lists(conditions(context, journey), min_size=5, max_size=25))
    binder = Binder(zone)
    fragments = [
        compile_condition(compiled(one, context, journey), context, binder, travelling=journey)
        for one in asked
    ]
    because = ", ".join(value for f in fragments for _, value in f.evidence) or "1"
    answers = ", ".join(f"({fragment.predicate})" for fragment in fragments)
    # what is asked of everybody at once is written in another way, and means the same
    answers += "".join(
        f", ({compile_condition(compiled(one, context, journey), context, binder, travelling=journey, picking=True, of_all=not journey).predicate}) is true"
        for one in asked
    )
    text = f"select array[{answers}] as holds, to_jsonb(row({because})), {ASKED[context, journey]}"
    async with world.engage.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        try:
            await build(conn, small)
            rows = await conn.fetch(
                text,
                *binder.args(
                    as_of=NOW, entered_at=ENTERED, traversal_id=1, node=None, arrived_at=None
                ),
            )
        finally:
            await transaction.rollback()
    reading = Reading(small, journey, ZoneInfo(zone))
    for row in rows:
        person = None if row["person"] is None else row["person"] - 100
        for condition, holds in zip([*asked, *asked], row["holds"], strict=True):
            expected = reading.holds(condition, row["account"], person)
            assert holds is expected, f"{condition} on account {row['account']}, person {person}"


@pytest.mark.parametrize("journey", [True, False], ids=["journey", "audience"])
@pytest.mark.parametrize("context", ["account", "person"])
@MANY
@given(data=st.data())
async def test_nothing_changes_by_time_alone_before_the_next_flip(
    world: World, context: Any, journey: bool, data: Any
) -> None:
    small, zone = data.draw(worlds), data.draw(zones)
    asked = data.draw(st.lists(conditions(context, journey), min_size=3, max_size=10))
    reading = Reading(small, journey=journey, zone=ZoneInfo(zone))
    later = [NOW + timedelta(seconds=s) for s in data.draw(st.lists(ahead, max_size=12))]
    binder = Binder(zone)
    soonest = []
    for one in asked:
        fragment = compile_condition(
            compiled(one, context, journey), context, binder, travelling=journey, flips=True
        )
        soonest.append(f"least({', '.join(fragment.flips)})" if fragment.flips else "null")
    text = f"select array[{', '.join(soonest)}]::timestamptz[] as flips, {ASKED[context, journey]}"
    async with world.engage.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        try:
            await build(conn, small)
            rows = await conn.fetch(
                text,
                *binder.args(
                    as_of=NOW, entered_at=ENTERED, traversal_id=1, node=None, arrived_at=None
                ),
            )
        finally:
            await transaction.rollback()
    for row in rows:
        subject = (row["account"], None if row["person"] is None else row["person"] - 100)
        for condition, flip in zip(asked, row["flips"], strict=True):
            note(f"{condition} on {subject}: next flip {flip}")
            assert flip is None or flip > NOW
            before = reading.holds(condition, *subject)
            for at in later:
                if flip is None or at < flip:
                    then = Reading(small, journey=journey, zone=ZoneInfo(zone), now=at)
                    assert then.holds(condition, *subject) is before, at


#: the edges of all windows, and just beside them
ahead = st.builds(
    lambda edge, beside: max(0.000001, edge + beside),
    st.sampled_from([1, 60, 3600, 82_800, 86_400, 90_000, 2 * 86_400, 14 * 86_400, 28 * 86_400,
                     30 * 86_400, 31 * 86_400, 31 * 86_400 - 3600, 33 * 86_400]),
    st.sampled_from([0, 0.000001, -0.000001, 3600, -3600, 1800]),
)  # fmt: skip
