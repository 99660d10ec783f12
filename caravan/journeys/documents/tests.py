"""The document ``tests:``: a journey, the data it begins with, what happens, and what must come of it."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from caravan.journeys.actions import ACTIONS
from caravan.journeys.actions.base import ABOUT
from caravan.journeys.conditions.operators import UnfitOperand, read_value
from caravan.journeys.conditions.scope import nearest
from caravan.journeys.durations import Span, parse_duration
from caravan.journeys.fields import Entity, FieldCatalog
from caravan.journeys.problems import Path
from caravan.journeys.reading import Fields
from caravan.journeys.reasons import ExitReason
from caravan.journeys.written import as_written, shown

#: kinds of records, and the columns that say whose a row is
RECORDS: dict[Entity, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "account": ("accounts", ("account_id",), ()),
    "person": ("people", ("person_id",), ("account_id", "roles")),
    "relation": ("relations", ("account_id", "person_id"), ("roles",)),
    "opportunity": ("opportunities", ("opportunity_id", "account_id"), ()),
}
#: what every event has, beside its own fields
EVENT_NAMES = ("id", "type", "person_id", "account_id")
OUTCOMES = ("done", "sent", "held", "skipped")

Row = dict[str, Any]
#: an instant, or a time after the test's ``at``
When = datetime | Span


class TimedRow(BaseModel):
    """An event or a change: when, and what."""

    model_config = ConfigDict(frozen=True)

    at: When
    row: Row


class Given(BaseModel):
    """The only data of the test; the workspace's own is left out."""

    model_config = ConfigDict(frozen=True)

    records: dict[Entity, tuple[Row, ...]]
    events: tuple[TimedRow, ...] = ()
    changes: tuple[TimedRow, ...] = ()


class ExpectedEffect(BaseModel):
    """An effect that must be there; what is None may be anything."""

    model_config = ConfigDict(frozen=True)

    node: str | None = None
    action: str | None = None
    person: str | None = None
    outcome: str | None = None
    reason: str | None = None
    about: dict[str, str] = {}  # its template, its field, its list …

    @property
    def wanted(self) -> dict[str, str]:
        """What the effect must have, as the trace writes it."""
        return {**self.model_dump(exclude_none=True, exclude={"about"}), **self.about}


class Expected(BaseModel):
    """What must come of one entry of one account; only ``said`` is compared."""

    model_config = ConfigDict(frozen=True)

    account: str
    entry: int = 1
    said: frozenset[str] = frozenset()
    entries: int | None = None
    path: tuple[str, ...] = ()
    effects: tuple[ExpectedEffect, ...] = ()
    exit: str | None = None
    label: str | None = None
    line: int = 1


class TestsDocument(BaseModel):
    __test__ = False  # a document, no test of ours

    model_config = ConfigDict(frozen=True)

    tests: str
    journey: str
    at: datetime
    until: When | None = None
    given: Given
    expect: tuple[Expected, ...]
    file: str = ""


def read_tests(
    fields: Fields,
    catalog: FieldCatalog,
    journeys: Mapping[str, Collection[str]],
    file: str,
    line: Callable[[Path], int],
) -> TestsDocument | None:
    """From its mapping; None where anything in it is wrong.

    Args:
        fields: the document.
        catalog: what records have.
        journeys: the nodes of each journey.
        file: where it is written.
        line: of a path in it.
    """
    slug = fields.slug("tests")
    journey = fields.text("journey") if fields.required("journey") is not None else None
    if journey is not None and journey not in journeys:
        fields.problem(
            "unknown-journey", "journey", f"no journey {journey}{nearest(journey, journeys)}"
        )
        journey = None
    at = _instant(fields, "at") if fields.required("at") is not None else None
    until = _when(fields, "until")
    given = _read_given(fields.inner("given"), catalog)
    expect = []
    if fields.required("expect") is not None:
        for number, raw in enumerate(fields.items("expect")):
            path = (*fields.path, "expect", number)
            one = fields.within(raw, "expect", number)
            expect.append(_read_expected(one, journeys.get(journey or ""), line(path)))
    if (
        not fields.finish()
        or slug is None
        or journey is None
        or at is None
        or given is None
        or None in expect
    ):
        return None
    return TestsDocument(
        tests=slug,
        journey=journey,
        at=at,
        until=until,
        given=given,
        expect=tuple(one for one in expect if one is not None),
        file=file,
    )


def _read_given(fields: Fields, catalog: FieldCatalog) -> Given | None:
    fine = True
    records: dict[Entity, tuple[Row, ...]] = {}
    for entity, (key, ids, others) in RECORDS.items():
        rows = []
        for number, raw in enumerate(fields.items(key)):
            row = _read_record(
                fields.within(raw, key, number),
                entity, ids, others, catalog,
            )  # fmt: skip
            fine = fine and row is not None
            rows.append(row or {})
        records[entity] = tuple(rows)
    timed: dict[str, list[TimedRow]] = {"events": [], "changes": []}
    for key, read in (("events", _read_event), ("changes", _read_change)):
        for number, raw in enumerate(fields.items(key)):
            one = read(fields.within(raw, key, number), catalog)
            if one is None:
                fine = False
            else:
                timed[key].append(one)
    if not fields.finish() or not fine:
        return None
    return Given(records=records, events=tuple(timed["events"]), changes=tuple(timed["changes"]))


def _read_record(
    fields: Fields,
    entity: Entity,
    ids: tuple[str, ...],
    others: tuple[str, ...],
    catalog: FieldCatalog,
) -> Row | None:
    row: Row = {}
    for key in ids:
        if fields.required(key) is not None:
            row[key] = fields.text(key, longest=200)
    for key in others:
        if fields.has(key):
            row[key] = _roles(fields) if key == "roles" else fields.text(key, longest=200)
    row |= _values(fields, entity, catalog, (*ids, *others))
    return row if fields.finish() else None


def _read_event(fields: Fields, catalog: FieldCatalog) -> TimedRow | None:
    at = _when(fields, "at") if fields.required("at") is not None else None
    fields.required("type")
    if not fields.has("person_id") and not fields.has("account_id"):
        fields.problem("missing-key", None, "an event is of a person_id or an account_id")
    row: Row = {}
    for key, value in fields.raw.items():
        if key == "at":
            continue
        fields.seen.append(key)
        if isinstance(value, dict | list):
            fields.problem("bad-value", key, f"{key} takes one value")
        elif key in EVENT_NAMES or isinstance(value, str):
            row[key] = as_written(value)
        else:
            row[key] = _plain(value)
    if not fields.finish() or at is None:
        return None
    return TimedRow(at=at, row=row)


def _plain(value: bool | int | float | None) -> bool | int | float | None:
    """A scalar that no longer knows how it was written."""
    if value is None or isinstance(value, bool):
        return value
    return int(value) if isinstance(value, int) else float(value)


def _read_change(fields: Fields, catalog: FieldCatalog) -> TimedRow | None:
    """``{at, account: id, set: {field: value}}``, or as in a file: ``{at, change: account, id, set}``."""
    at = _when(fields, "at") if fields.required("at") is not None else None
    named: list[Entity] = [entity for entity in RECORDS if entity in fields.raw]
    if "change" in fields.raw:
        said = fields.text("change")
        named = [entity for entity in RECORDS if entity == said]
        identity = fields.given("id")
    else:
        identity = fields.given(named[0]) if len(named) == 1 else None
    if len(named) != 1 or identity is None:
        fields.problem("missing-key", None, f"a change names one of {', '.join(RECORDS)} by its id")
        return None
    identity = _as_written(identity)
    inner = fields.inner("set")
    values: Row = {}
    if named[0] in ("relation", "person") and inner.has("roles"):
        values["roles"] = _roles(inner)
    if named[0] in ("opportunity", "person") and inner.has("account_id"):
        values["account_id"] = inner.text("account_id")
    values |= _values(inner, named[0], catalog, tuple(values))
    fine = inner.finish()
    if not fields.finish() or not fine or at is None:
        return None
    return TimedRow(at=at, row={"change": named[0], "id": identity, "set": values})


def _as_written(identity: Any) -> Any:
    """An id, or the two of a relation, as they are written: ``007`` keeps its noughts."""
    if isinstance(identity, list):
        return [as_written(one) for one in identity]
    if isinstance(identity, dict):
        return {key: as_written(one) for key, one in identity.items()}
    return as_written(identity)


def _values(fields: Fields, entity: Entity, catalog: FieldCatalog, others: Collection[str]) -> Row:
    """The fields of a record, each of its type."""
    known = catalog.of(entity)
    row: Row = {}
    for name, raw in fields.raw.items():
        if name in others:
            continue
        fields.seen.append(name)
        if name not in known:
            fields.problem(
                "unknown-field", name, f"{entity} has no field {name}{nearest(name, known)}"
            )
            continue
        try:
            row[name] = None if raw is None else read_value(raw, known[name])
        except UnfitOperand as error:
            fields.problem("bad-value", name, f"{name} {shown(raw)}: {error}")
    return row


def _roles(fields: Fields) -> list[str] | None:
    roles = fields.given("roles")
    if isinstance(roles, str):
        return [role.strip() for role in roles.split(";") if role.strip()]
    return [as_written(role) for role in fields.items("roles")]


def _read_expected(fields: Fields, nodes: Collection[str] | None, line: int) -> Expected | None:
    account = fields.text("account") if fields.required("account") is not None else None
    entry = fields.count("entry", 1)
    entries = fields.count("entries", 0, least=0)
    path = tuple(as_written(node) for node in fields.items("path"))
    for node in path:
        _check_node(fields, "path", node, nodes)
    effects = [
        _read_effect(fields.within(raw, "effects", number), nodes)
        for number, raw in enumerate(fields.items("effects"))
    ]
    exit_, label = fields.text("exit"), fields.text("label")
    if exit_ is not None and exit_ not in tuple(ExitReason):
        fields.problem("bad-value", "exit", f"exit takes one of {', '.join(ExitReason)}")
    if not fields.finish() or account is None or None in effects:
        return None
    return Expected(
        account=account,
        entry=entry,
        entries=entries,
        path=path,
        effects=tuple(effect for effect in effects if effect is not None),
        exit=exit_,
        label=label,
        said=frozenset(fields.raw) - {"account", "entry"},
        line=line,
    )


def _read_effect(fields: Fields, nodes: Collection[str] | None) -> ExpectedEffect | None:
    node, action = fields.text("node"), fields.text("action")
    person, outcome = fields.text("person"), fields.text("outcome")
    reason = fields.text("reason")
    given = {key: fields.text(key) for key in ABOUT}
    about = {key: text for key, text in given.items() if text is not None}
    if node is not None:
        _check_node(fields, "node", node, nodes)
    if action is not None and action not in ACTIONS:
        fields.problem("bad-value", "action", f"no action {action}{nearest(action, ACTIONS)}")
    if outcome is not None and outcome not in OUTCOMES:
        fields.problem("bad-value", "outcome", f"outcome takes one of {', '.join(OUTCOMES)}")
    if not fields.finish():
        return None
    return ExpectedEffect(
        node=node, action=action, person=person, outcome=outcome, reason=reason, about=about
    )


def _check_node(fields: Fields, key: str, node: str, nodes: Collection[str] | None) -> None:
    if nodes is not None and node not in nodes:
        fields.problem("unknown-node", key, f"the journey has no node {node}{nearest(node, nodes)}")


def _instant(fields: Fields, key: str) -> datetime | None:
    when = _when(fields, key)
    if isinstance(when, Span):
        fields.problem("bad-value", key, f"{key} takes an instant such as 2026-03-02T08:00:00Z")
        return None
    return when


def _when(fields: Fields, key: str) -> When | None:
    """An instant, or a time after the beginning: ``+3 days``."""
    value = fields.given(key)
    if value is None:
        return None
    if isinstance(value, str) and value.startswith("+"):
        span = parse_duration(value.removeprefix("+"))
        if span is not None:
            return span
    elif isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    fields.problem(
        "bad-value", key, f"{shown(value)} is neither an instant nor a time after it: +3 days"
    )
    return None
