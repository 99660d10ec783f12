"""What a model is told of an account at a ``decide`` node: facts of an allow-list, and nothing that says who it is.

Numbers, dates as days from now, counts of what happened, and texts that stand for a kind (an industry, a
stage, a role) as far as no name, address, number or web domain stands in them (``unnamed``). People are
person 1, person 2 …, the most engaged first. What is not named here is not told, whatever field it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from caravan.campaigns.job_levels import Level, level_of
from caravan.campaigns.unnamed import Unnamed
from caravan.campaigns.visit import Visit
from caravan.engage import sql
from caravan.journeys.fields import STANDARD
from caravan.journeys.reading import SLUG

#: people who are told of one by one, and kinds of events of an account and of each of them
PEOPLE, EVENTS, EVENTS_OF_ONE = 20, 30, 8
OPPORTUNITIES = 10
#: how far back events count, and the shorter spans they are counted over
SPAN = timedelta(days=90)

#: standard fields of an account whose texts and numbers may be told
ACCOUNT_TEXTS = ("industry", "sic_code", "country", "state", "source_type")
ACCOUNT_NUMBERS = ("annual_revenue", "employees")
#: types of an account's own custom fields that may be told: texts may hold anything, an id too
CUSTOM_TYPES = ("integer", "number", "boolean", "date", "datetime")
#: changes of fields are no sign of what somebody wants
UNTOLD = ("account_changed", "person_changed", "opportunity_changed", "score_changed")
#: what people do themselves
THEIRS = (
    "email_opened", "email_clicked", "email_unsubscribed", "sms_clicked", "page_visited", "form_filled",
    "event_registered", "event_attended",
)  # fmt: skip


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EventFacts(_Facts):
    """How often something happened; ``about``: the e-mail or form. ``people``: so many did it."""

    type: str
    about: str | None = None
    last_7_days: int
    last_30_days: int
    last_90_days: int
    people: int | None = None


class PersonFacts(_Facts):
    """A person, under a number that means nothing elsewhere."""

    person: int
    job_level: Level | None = None
    persona: str | None = None
    roles: tuple[str, ...] = ()
    buying_group_roles: tuple[str, ...] = ()
    engagement: int = 0
    scores: dict[str, int] = {}
    unsubscribed: bool = False
    days_since_active: int | None = None
    events: tuple[EventFacts, ...] = ()

    @property
    def say_something(self) -> bool:
        """Whether more is known than that there is somebody."""
        told = self.model_dump(exclude={"person", "scores"}, exclude_defaults=True)
        return bool(told) or any(self.scores.values())


class OpportunityFacts(_Facts):
    stage: str | None = None
    type: str | None = None
    amount: float | None = None
    probability: float | None = None
    is_closed: bool | None = None
    is_won: bool | None = None
    closes_in_days: int | None = None


class GroupFacts(_Facts):
    solution_interest: str
    stage: str | None = None
    completeness: int
    engagement: int
    qualified: bool
    people: int


class Facts(_Facts):
    """All that the model is told of an account."""

    account: dict[str, str | float | int | bool] = {}
    people_total: int = 0
    people: tuple[PersonFacts, ...] = ()
    events: tuple[EventFacts, ...] = ()
    opportunities: tuple[OpportunityFacts, ...] = ()
    buying_groups: tuple[GroupFacts, ...] = ()
    days_in_journey: int = 0

    @property
    def say_something(self) -> bool:
        """Whether there is anything to decide by."""
        told = (self.account, self.events, self.opportunities, self.buying_groups)
        return any(told) or any(one.say_something for one in self.people)


@dataclass(frozen=True)
class Gathered:
    """The facts, and whom they know as person 1, person 2 …"""

    facts: Facts
    people: tuple[int, ...]


async def gather(visit: Visit) -> Gathered:
    """Read the facts of the account at a visit, in the transaction that holds it."""
    account_id, as_of = visit.traversal.account_id, visit.as_of
    own = await sql.fetchrow(visit.conn, "account_to_decide", account_id=account_id)
    named = await sql.fetch(visit.conn, "decision_names", account_id=account_id)
    telling = Unnamed(
        [(row["external_id"], row["attributes"]) for row in (own, *named)],
    )
    around = await sql.fetchrow(visit.conn, "decision_account", account_id=account_id)
    people = await sql.fetch(
        visit.conn,
        "decision_people",
        account_id=account_id,
        theirs=list(THEIRS),
        as_of=as_of,
        limit=PEOPLE,
    )
    events = await sql.fetch(
        visit.conn,
        "decision_events",
        account_id=account_id,
        since=as_of - SPAN,
        as_of=as_of,
        untold=list(UNTOLD),
    )
    custom = visit.loaded.plan.catalog.custom.get("account", {})
    facts = Facts(
        account=_account(own["attributes"], custom, telling, as_of),
        people_total=around["people"],
        people=tuple(
            _person(
                number,
                row,
                [one for one in events if one["person_id"] == row["id"]],
                telling,
                as_of,
            )
            for number, row in enumerate(people, start=1)
        ),
        events=_summed(events, telling)[:EVENTS],
        opportunities=tuple(
            _opportunity(one, telling, as_of) for one in around["opportunities"][:OPPORTUNITIES]
        ),
        buying_groups=tuple(_group(one, telling) for one in around["groups"]),
        days_in_journey=(as_of - visit.traversal.entered_at).days,
    )
    return Gathered(facts, tuple(row["id"] for row in people))


def _account(
    attributes: Mapping[str, Any], custom: Mapping[str, str], telling: Unnamed, as_of: datetime
) -> dict[str, Any]:
    told: dict[str, Any] = {field: telling(attributes.get(field)) for field in ACCOUNT_TEXTS}
    told |= {field: _measure(attributes.get(field)) for field in ACCOUNT_NUMBERS}
    for field, kind in custom.items():
        value = attributes.get(field)
        if kind not in CUSTOM_TYPES or field in STANDARD["account"] or value is None:
            continue
        if kind in ("date", "datetime"):
            told[f"{field}_in_days"] = _days_to(value, as_of)
        else:
            told[field] = _measure(value)
    return {field: value for field, value in told.items() if value is not None}


def _person(
    number: int, row: Any, events: Sequence[Any], telling: Unnamed, as_of: datetime
) -> PersonFacts:
    attributes, last_at = row["attributes"], row["last_at"]
    return PersonFacts(
        person=number,
        job_level=level_of(attributes.get("job_title")),
        persona=row["persona"],
        roles=_texts(row["roles"], telling),
        buying_group_roles=_texts(row["group_roles"], telling),
        engagement=row["engagement"],
        scores=row["scores"] or {},
        unsubscribed=attributes.get("unsubscribed") is True,
        days_since_active=(as_of - last_at).days if last_at is not None else None,
        events=_summed(events, telling, alone=True)[:EVENTS_OF_ONE],
    )


def _summed(
    rows: Iterable[Any], telling: Unnamed, *, alone: bool = False
) -> tuple[EventFacts, ...]:
    """Counts by type and by what it was about, the most frequent first; an untold about is left out."""
    counts: dict[tuple[str, str | None], list[Any]] = {}
    for row in rows:
        kind, about = telling(row["type"]), _about(row["about"], telling)
        if kind is None:
            continue
        count = counts.setdefault((kind, about), [0, 0, 0, set()])
        for place, span in enumerate(("week", "month", "quarter")):
            count[place] += row[span]
        if row["person_id"] is not None:
            count[3].add(row["person_id"])
    told = [
        EventFacts(
            type=kind,
            about=about,
            last_7_days=week,
            last_30_days=month,
            last_90_days=quarter,
            people=None if alone or not people else len(people),
        )
        for (kind, about), (week, month, quarter, people) in counts.items()
    ]
    return tuple(sorted(told, key=lambda one: (-one.last_90_days, one.type, one.about or "")))


def _about(value: object, telling: Unnamed) -> str | None:
    """An e-mail's or a form's name; only what is a name of ours, for a form from outside may be called anything."""
    return telling(value) if isinstance(value, str) and SLUG.fullmatch(value) else None


def _opportunity(
    attributes: Mapping[str, Any], telling: Unnamed, as_of: datetime
) -> OpportunityFacts:
    return OpportunityFacts(
        stage=telling(attributes.get("stage")),
        type=telling(attributes.get("type")),
        closes_in_days=_days_to(attributes.get("expected_close_date"), as_of),
        **{
            field: _measure(attributes.get(field))
            for field in ("amount", "probability", "is_closed", "is_won")
        },
    )


def _group(row: Mapping[str, Any], telling: Unnamed) -> GroupFacts:
    return GroupFacts(
        solution_interest=row["solution_interest"],
        stage=telling(row["stage"]),
        completeness=row["completeness"],
        engagement=row["engagement"],
        qualified=row["qualified"],
        people=row["people"],
    )


def _texts(values: object, telling: Unnamed) -> tuple[str, ...]:
    told = (telling(value) for value in values) if isinstance(values, list) else ()
    return tuple(text for text in told if text is not None)


def _measure(value: object) -> int | float | bool | None:
    """A number or a truth value, by what it is: a field's type may have been changed after its data came."""
    return value if isinstance(value, int | float) else None


def _days_to(value: object, as_of: datetime) -> int | None:
    """Days from now to a stored date or instant; before now they are less than none."""
    try:
        return (date.fromisoformat(str(value)[:10]) - as_of.date()).days if value else None
    except ValueError:
        return None
