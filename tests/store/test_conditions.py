"""Conditions as SQL against what they mean, value by value and operator by operator."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from caravan.journeys.conditions.parse import Scope, parse_condition
from caravan.journeys.conditions.sql import Binder, compile_condition
from caravan.journeys.fields import FieldCatalog
from tests.world import World

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)

CATALOG = FieldCatalog(
    custom={"account": {"seen": "datetime", "live": "boolean", "signed": "date"}}
)

A = {"name": "Åland Straße", "industry": "Energy", "annual_revenue": 100, "employees": 7,
     "live": True, "signed": "2026-06-10", "seen": "2026-06-15T11:00:00Z"}  # fmt: skip

#: condition on the account above → what it is
ACCOUNT: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"industry": "energy"}, True),
    ({"industry": ["Retail", "ENERGY"]}, True),
    ({"industry": {"is_not": ["Retail", "energy"]}}, False),
    ({"name": {"is": "åland strasse"}}, True),
    ({"name": {"starts_with": "ÅL"}}, True),
    ({"name": {"contains": "STRASSE"}}, True),
    ({"name": {"contains": "%"}}, False),
    ({"name": {"starts_with": "_land"}}, False),
    ({"name": {"not_contains": "x"}}, True),
    ({"name": {"not_starts_with": ["å", "b"]}}, False),
    ({"city": "Oslo"}, False),
    ({"city": {"is_not": "Oslo"}}, True),
    ({"city": {"empty": True}}, True),
    ({"city": {"empty": False}}, False),
    ({"name": {"empty": False}}, True),
    ({"city": ""}, False),
    ({"annual_revenue": 100}, True),
    ({"annual_revenue": {"greater_than": 100}}, False),
    ({"annual_revenue": {"at_least": 100, "less_than": 100.5}}, True),
    ({"annual_revenue": {"between": [100, 200]}}, True),
    ({"annual_revenue": {"is_not": [1, 2]}}, True),
    ({"employees": {"at_most": 6}}, False),
    ({"live": True}, True),
    ({"live": {"is_not": True}}, False),
    ({"signed": {"on_or_before": "2026-06-10"}}, True),
    ({"signed": {"before": "2026-06-10"}}, False),
    ({"signed": {"in_past": "5 days"}}, True),
    ({"signed": {"in_past": "4 days"}}, False),
    ({"signed": {"in_past_before": "4 days"}}, True),
    ({"signed": {"in_future": "5 days"}}, False),
    ({"seen": {"in_past": "1 hour"}}, True),
    ({"seen": {"in_past": "59 minutes"}}, False),
    ({"seen": {"after": "2026-06-15T12:59:00+02:00"}}, True),
    ({"seen": {"between": ["2026-06-15T11:00:00Z", "2026-06-16"]}}, True),
]  # fmt: skip


def problem(code: str, path: object, message: str, **_: object) -> None:
    raise AssertionError(f"{code} at {path}: {message}")


async def holds(
    world: World,
    condition: dict[str, Any],
    context: Any = "account",
    *,
    journey: bool = True,
    zone: str = "UTC",
    now: datetime = NOW,
    audiences: dict[str, Any] | None = None,
) -> set[str]:
    """The outside ids of the records that meet a condition of a journey, or of an audience."""
    parsed = read(condition, context, journey)
    binder = Binder(zone)
    fragment = compile_condition(
        parsed, context, binder, travelling=journey, audiences=audiences or {}
    )
    evidence = ", ".join(f"{value}" for _, value in fragment.evidence) or "1"
    one = "a" if context == "account" else "p"
    text = (
        f"select {one}.external_id, ({fragment.predicate}) as holds, to_jsonb(row({evidence}))"
        f" from {TABLES[context, journey]}"
    )
    rows = await world.engage.fetch(
        text, *binder.args(as_of=now, entered_at=now - timedelta(days=2), traversal_id=0)
    )
    assert all(row["holds"] is not None for row in rows), "never unknown"
    return {row["external_id"] for row in rows if row["holds"]}


async def next_flip(
    world: World, condition: dict[str, Any], *, now: datetime = NOW, zone: str = "UTC"
) -> datetime | None:
    """When an audience of accounts, of which there is one, may change by time alone."""
    binder = Binder(zone)
    flips = compile_condition(
        read(condition, "account", journey=False), "account", binder, travelling=False, flips=True
    ).flips
    text = f"select least({', '.join(flips)}) from accounts a"
    found: datetime | None = await world.engage.fetchval(text, *binder.args(as_of=now))
    return found


def read(condition: dict[str, Any], context: Any, journey: bool) -> Any:
    scope = Scope(
        catalog=CATALOG,
        store="engage" if journey else "platform",
        nodes=frozenset({"n"}),
        audiences=frozenset({"energetic"}),
        in_journey=journey,
    )
    parsed = parse_condition(condition, context, (), scope, problem)
    assert parsed is not None
    assert type(parsed).model_validate_json(parsed.model_dump_json()) == parsed
    return parsed


#: where those are found who are asked about; in a journey a person travels with an account
TABLES = {
    ("account", True): "accounts a",
    ("account", False): "accounts a",
    ("person", True): "relations r join people p on p.id = r.person_id"
    " join accounts a on a.id = r.account_id",
    ("person", False): "people p",
}


async def account(world: World, name: str, attributes: dict[str, Any]) -> int:
    number = int.from_bytes(name.encode(), "big")
    await world.engage.execute(
        "insert into accounts (id, external_id, attributes) values ($1, $2, $3)",
        number,
        name,
        attributes,
    )
    return number


async def person(
    world: World, of: int, name: str, attributes: dict[str, Any], roles: list[str]
) -> int:
    number = int.from_bytes(name.encode(), "big") + 10_000_000
    await world.engage.execute(
        "insert into people (id, external_id, attributes) values ($1, $2, $3)",
        number,
        name,
        attributes,
    )
    await world.engage.execute(
        "insert into relations (id, account_id, person_id, attributes) values ($1, $2, $1, $3)",
        number, of, {"roles": roles} if roles else {},
    )  # fmt: skip
    return number


async def did(
    world: World,
    kind: str,
    at: timedelta,
    person: int | None = None,
    account: int | None = None,
    **fields: Any,
) -> None:
    await world.engage.execute(
        "insert into activities (type, at, person_id, account_id, fields) values ($1, $2, $3, $4, $5)",
        kind, NOW + at, person, account, fields,
    )  # fmt: skip


async def test_every_operator_on_an_account(world: World) -> None:
    await account(world, "a", A)
    wrong = [
        (tests, expected)
        for tests, expected in ACCOUNT
        if (await holds(world, {"account": tests})) != ({"a"} if expected else set())
    ]
    assert wrong == []


async def test_logic_and_empty_mapping(world: World) -> None:
    await account(world, "a", A)
    yes, no = {"account": {"industry": "Energy"}}, {"account": {"industry": "Retail"}}
    for condition, expected in [
        ({}, True),
        ({"all": [yes, no]}, False),
        ({"any": [no, yes]}, True),
        ({"not": no}, True),
        ({"not": {"not": {"any": [no, {"all": [yes, {"not": no}]}]}}}, True),
        ({**yes, "not": yes}, False),
    ]:
        assert (await holds(world, condition)) == ({"a"} if expected else set()), condition


async def test_people_of_the_account(world: World) -> None:
    a, b = await account(world, "a", A), await account(world, "b", A)
    await person(world, a, "p", {"job_title": "Chief X", "country": "SE"}, ["user"])
    await person(world, a, "q", {"job_title": "Chief Y", "country": "NO"}, ["user", "buyer"])
    await person(world, b, "r", {"country": "SE"}, [])
    chief = {"job_title": {"starts_with": "Chief"}}
    assert await holds(world, {"person": chief | {"country": "NO"}}) == {"a"}
    assert await holds(world, {"people": {"when": {"person": chief}, "at_least": 2}}) == {"a"}
    assert await holds(
        world, {"people": {"when": {"person": chief}, "at_least": 0, "at_most": 0}}
    ) == {"b"}
    assert await holds(world, {"people": {"when": {"role_in_account": "buyer"}}}) == {"a"}
    assert await holds(world, {"role_in_account": "BUYER"}, "person") == {"q"}
    assert await holds(world, {"role_in_account": {"is_not": "buyer"}}, "person") == {"p", "r"}
    assert await holds(world, {"role_in_account": {"empty": True}}, "person") == {"r"}
    assert await holds(world, {"person": {"job_title": {"empty": True}}}, "person") == {"r"}


async def test_opportunities(world: World) -> None:
    a = await account(world, "a", A)
    await account(world, "b", A)
    await world.engage.execute(
        "insert into opportunities (id, external_id, account_id, attributes) values (1, 'o', $1, $2), (2, 'u', $1, $3)",
        a, {"is_closed": False, "amount": 5}, {"is_closed": True, "amount": 50},
    )  # fmt: skip
    assert await holds(world, {"opportunity": {"is_closed": False}}) == {"a"}
    assert (
        await holds(world, {"opportunity": {"is_closed": False, "amount": {"at_least": 10}}})
        == set()
    )


async def test_what_was_done(world: World) -> None:
    a, b = await account(world, "a", A), await account(world, "b", A)
    p = await person(world, a, "p", {}, [])
    q = await person(world, a, "q", {}, [])
    await person(world, b, "r", {}, [])
    day = timedelta(days=1)
    await did(world, "form_filled", -day, person=p, form="x")
    await did(world, "form_filled", -3 * day, person=p, form="x")
    await did(world, "form_filled", -day, person=q, form="y")
    await did(world, "form_filled", day, person=q, form="later")
    await did(world, "account_interesting_moment", -day, account=b, type="web")
    form = {"event": "form_filled"}
    for condition, expected in [
        ({"did": form}, {"a"}),
        ({"did": form | {"where": {"form": "later"}}}, set()),
        ({"did": form | {"at_least": 3}}, {"a"}),
        ({"did": form | {"at_least": 4}}, set()),
        ({"did": form | {"people": 2}}, {"a"}),
        ({"did": form | {"where": {"form": "x"}, "people": 2}}, set()),
        ({"did": form | {"at_least": 3, "since": "entry"}}, set()),
        ({"did": form | {"at_least": 3, "within": "1 day"}}, {"a"}),
        ({"did_not": form}, {"b"}),
        ({"did": {"event": "account_interesting_moment", "where": {"type": "web"}}}, {"b"}),
        (
            {
                "did": {
                    "event": "event",
                    "type": "form_filled",
                    "where": {"form": {"starts_with": "y"}},
                }
            },
            {"a"},
        ),
    ]:
        assert (await holds(world, condition)) == expected, condition
    assert await holds(world, {"did": form | {"where": {"form": "x"}}}, "person") == {"p"}
    assert await holds(world, {"did_not": form | {"where": {"form": "x"}}}, "person") == {"q", "r"}


@pytest.mark.parametrize("value", ["x'; drop table accounts; --", "\\", '"', "${1}", "$1", "%s"])
async def test_values_are_values(world: World, value: str) -> None:
    await account(world, "a", A | {"city": value})
    assert await holds(world, {"account": {"city": value}}) == {"a"}
    assert await holds(world, {"account": {"city": {"contains": value}}}) == {"a"}


JUNK: list[Any] = ["x", "", "now", "infinity", "2026-02-30", "1e9999", "NaN", True, 7, {}, [1]]


@pytest.mark.parametrize("junk", JUNK, ids=repr)
async def test_no_stored_value_makes_a_query_fail(world: World, junk: Any) -> None:
    await account(world, "a", dict.fromkeys(["annual_revenue", "live", "signed", "seen"], junk))
    fitting = {
        "annual_revenue": [7] if junk == 7 else [],
        "live": [True] if junk is True else [],
        "signed": [],
        "seen": [],
    }
    asked: dict[str, Any] = {
        "annual_revenue": 7,
        "live": True,
        "signed": {"in_past": "9 months"},
        "seen": {"in_past": "9 months"},
    }
    for field, test in asked.items():
        found = {"a"} if fitting[field] else set()
        assert await holds(world, {"account": {field: test}}) == found, field
        empty = {"account": {field: {"empty": True}}}
        assert await holds(world, empty) == {"a"} - found, field
    role = {"people": {"when": {"role_in_account": {"empty": True}}}}
    number = await person(world, 97, "p", {}, [])
    await world.engage.execute("update relations set attributes = $1", {"roles": junk})
    assert await holds(world, role) == (set() if junk == [1] else {"a"}), number


async def test_numbers_and_truth_values_written_as_text_count_as_what_they_say(
    world: World,
) -> None:
    a = await account(world, "a", {"annual_revenue": " 0420 ", "live": "TRUE"})
    await did(world, "webinar", -timedelta(days=1), account=a, code="0420", score=420)
    webinar = {"event": "event", "type": "webinar"}
    assert await holds(world, {"account": {"annual_revenue": 420, "live": True}}) == {"a"}
    for where in ({"code": 420}, {"code": "0420"}, {"score": "420"}, {"score": {"between": [0, 420]}}):  # fmt: skip
        assert await holds(world, {"did": webinar | {"where": where}}) == {"a"}, where


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
async def test_the_first_and_the_last_day_of_all_are_days(world: World, day: str) -> None:
    await account(world, "a", {"signed": day, "seen": f"{day}T00:00:00Z"})
    for test in (day, [day, "2026-01-01"], {"between": [day, day]}, {"on_or_after": day}):
        assert await holds(world, {"account": {"signed": test}}) == {"a"}
        assert await holds(world, {"account": {"seen": test}}) == {"a"}
    endless = {"account": {"seen": {"in_past_before": "9999999999 months", "empty": True}}}
    assert await holds(world, endless) == set()
    assert await next_flip(world, endless) is None


async def test_ten_thousand_operands_are_one_parameter(world: World) -> None:
    await account(world, "a", A)
    names = [f"name {number}" for number in range(10_000)]
    assert await holds(world, {"account": {"name": [*names, "åland strasse"]}}) == {"a"}
    assert await holds(world, {"account": {"name": {"starts_with": [*names, "ÅL"]}}}) == {"a"}
    assert await holds(world, {"account": {"name": {"not_contains": names}}}) == {"a"}
    assert await holds(world, {"account": {"annual_revenue": list(range(40_000))}}) == {"a"}
    assert await holds(world, {"account": {"signed": ["2026-06-09", "2026-06-10"]}}) == {"a"}


async def test_days_are_those_of_the_zone(world: World) -> None:
    a = await account(world, "a", {"signed": "2026-03-30", "seen": "2026-03-29T01:00:00Z"})
    now = datetime(2026, 3, 29, 22, 30, tzinfo=UTC)  # Monday the 30th in Stockholm
    today = {"account": {"signed": {"in_past": "1 day"}}}
    assert await holds(world, today, now=now) == set()
    assert await holds(world, today, now=now, zone="Europe/Stockholm") == {"a"}
    # half past two in the night; a day before, the clock went from two to three: half past three
    now = datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    await did(world, "form_filled", datetime(2026, 3, 29, 1, tzinfo=UTC) - NOW, account=a)
    for condition in (
        {"account": {"seen": {"in_past": "1 day"}}},
        {"did": {"event": "form_filled", "within": "1 day"}},
    ):
        assert await holds(world, condition, now=now, journey=False) == {"a"}
        stockholm = await holds(world, condition, now=now, journey=False, zone="Europe/Stockholm")
        assert stockholm == set()


async def test_one_event_of_account_and_person_is_one(world: World) -> None:
    a = await account(world, "a", A)
    p = await person(world, a, "p", {}, [])
    await did(world, "form_filled", -timedelta(days=1), person=p, account=a)
    assert await holds(world, {"did": {"event": "form_filled", "at_least": 1}}) == {"a"}
    assert await holds(world, {"did": {"event": "form_filled", "at_least": 2}}) == set()


async def test_in_an_audience_people_are_asked_about_the_account_in_hand(world: World) -> None:
    a, b = await account(world, "a", A), await account(world, "b", {"industry": "Retail"})
    p = await person(world, a, "p", {}, ["buyer"])
    await world.engage.execute(
        "insert into relations (id, account_id, person_id) values (1, $1, $2)", b, p
    )
    energetic = {"people": {"when": {"account": {"industry": "Energy"}}}}
    buyer = {"people": {"when": {"role_in_account": "buyer"}}}
    assert await holds(world, energetic, journey=False) == {"a"}
    assert await holds(world, buyer, journey=False) == {"a"}
    # a person alone is asked about all accounts
    assert await holds(world, {"account": {"industry": "retail"}}, "person", journey=False) == {"p"}
    assert await holds(world, {"role_in_account": "buyer"}, "person", journey=False) == {"p"}
    not_buyer = {"role_in_account": {"is_not": "buyer"}}
    assert await holds(world, not_buyer, "person", journey=False) == set()


async def test_an_audience_named_in_a_condition_is_its_condition(world: World) -> None:
    await account(world, "a", A)
    await account(world, "b", {"industry": "Retail"})
    audiences = {"energetic": read({"account": {"industry": "Energy"}}, "account", journey=False)}
    named = {"not": {"audience": "energetic"}}
    assert await holds(world, named, journey=False, audiences=audiences) == {"b"}


async def test_when_time_alone_may_change_an_answer(world: World) -> None:
    second = timedelta(seconds=1)
    a = await account(world, "a", A | {"contract": "x"})
    hour = {"account": {"industry": "Energy", "seen": {"in_past": "2 hours"}}}
    just_after = timedelta(microseconds=1)
    end = datetime(2026, 6, 15, 13, tzinfo=UTC)
    assert await next_flip(world, hour) == end + just_after
    assert await holds(world, hour, now=end) == {"a"}
    assert await holds(world, hour, now=end + just_after) == set()
    assert await next_flip(world, hour, now=end) == end + just_after
    assert await next_flip(world, hour, now=end + just_after) is None
    assert await next_flip(world, {"account": {"signed": {"in_past": "5 days"}}}) == datetime(
        2026, 6, 16, tzinfo=UTC
    )
    assert await next_flip(
        world, {"account": {"signed": {"in_past": "5 days"}}}, zone="Europe/Stockholm"
    ) == datetime(2026, 6, 15, 21, tzinfo=UTC)  # an hour early, for the clock may be changed
    await did(world, "form_filled", -second, account=a)
    await did(world, "form_filled", 5 * second, account=a)
    form = {"event": "form_filled"}
    assert await next_flip(world, {"did": form}) == NOW + 5 * second
    assert await next_flip(world, {"did": form | {"within": "3 seconds"}}) == (
        NOW + 2 * second + just_after
    )


async def test_a_month_that_lacks_the_day_is_looked_at_again(world: World) -> None:
    await account(world, "a", {"seen": "2026-01-30T12:00:00Z"})
    month = {"account": {"seen": {"in_past": "1 month"}}}
    now, changes = datetime(2026, 2, 20, tzinfo=UTC), []
    before = await holds(world, month, now=now)
    while (flip := await next_flip(world, month, now=now)) is not None:
        now, after = flip, await holds(world, month, now=flip)
        if after != before:
            changes.append(now)
        before = after
    # the 28th of February less a month is the 28th of January, the 1st of March the 1st of February
    assert changes == [datetime(2026, 3, 1, tzinfo=UTC)]
