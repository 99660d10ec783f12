"""Conditions on buying groups and on engagement, by real SQL."""

from decimal import Decimal
from typing import Any

import pytest

from caravan.journeys.conditions.sql import Binder, compile_condition
from tests.store.test_conditions import NOW, account, holds, person, read
from tests.world import World

TWO_THIRDS = Decimal(200) / 3


async def group(
    world: World,
    account_id: int,
    interest: str,
    members: dict[int, str] | None = None,
    **columns: Any,
) -> int:
    """A group of an account; ``members`` by person with the role, ``-`` before it where removed."""
    await world.engage.execute(
        "insert into roles_templates (id, slug, version, body, denominator, stored_at)"
        " overriding system value values (1, 'team', 1, '{}', 1, $1) on conflict do nothing",
        NOW,
    )
    await world.engage.execute(
        "insert into solution_interests (slug, roles_template) values ($1, 'team') on conflict do nothing",
        interest,
    )
    names = ["account_id", "solution_interest", "template_id", "created_at", *columns]
    group_id = await world.engage.fetchval(
        f"insert into buying_groups ({', '.join(names)})"
        f" values ({', '.join(f'${n}' for n in range(1, len(names) + 1))}) returning id",
        account_id, interest, 1, NOW, *columns.values(),
    )  # fmt: skip
    for person_id, role in (members or {}).items():
        await world.engage.execute(
            "insert into buying_group_members (group_id, person_id, role, source, added_at, removed_at)"
            " values ($1, $2, $3, 'job', $4, $5)",
            group_id, person_id, role.lstrip("-"), NOW, NOW if role.startswith("-") else None,
        )  # fmt: skip
    return int(group_id)


async def because(world: World, condition: dict[str, Any], context: Any = "account") -> Any:
    """What a condition gives as its reason, of one account or person."""
    binder = Binder()
    [(_, value)] = compile_condition(read(condition, context, True), context, binder).evidence
    source = "accounts a" if context == "account" else "people p, accounts a where p.id > 10000000"
    return await world.engage.fetchval(f"select {value} from {source}", *binder.args())


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, True),
        ({"solution_interest": "grid"}, True),
        ({"solution_interest": "water"}, False),
        ({"solution_interest": ["water", "grid"]}, True),
        ({"solution_interest": {"is_not": "grid"}}, False),
        ({"stage": "OPEN"}, True),
        ({"stage": {"is_not": "open"}}, False),
        ({"stage": {"empty": True}}, False),
        ({"status": {"starts_with": "hot"}}, True),
        ({"completeness": {"at_least": 66.6}}, True),
        ({"completeness": {"at_least": 66.67}}, False),
        ({"completeness": 67}, False),
        ({"engagement": {"between": [35.25, 40]}}, True),
        ({"qualified": True}, False),
        ({"qualified": False}, True),
        ({"role": {"name": "chief"}}, True),
        ({"role": {"name": "Chief", "at_least": 3}}, False),
        ({"role": {"name": "chief", "at_least": 2, "at_most": 2}}, True),
        ({"role": {"name": "gone", "at_least": 0, "at_most": 0}}, True),
        ({"role": {"name": "gone"}}, False),
        ({"role": [{"name": "chief"}, {"name": "user", "at_most": 1}]}, True),
        ({"role": [{"name": "chief"}, {"name": "champion"}]}, False),
        ({"stage": "open", "solution_interest": "grid", "completeness": {"less_than": 66}}, False),
    ],
    ids=str,
)
async def test_account_has_a_buying_group(
    world: World, asked: dict[str, Any], expected: bool
) -> None:
    a, b = await account(world, "a", {}), await account(world, "b", {})
    p, q, r, s = [await person(world, a, name, {}, []) for name in "pqrs"]
    await group(
        world, a, "grid", {p: "chief", q: "chief", r: "user", s: "-gone"},
        stage="open", status="Hot lead", completeness=TWO_THIRDS, engagement=Decimal("35.25"),
    )  # fmt: skip
    assert await holds(world, {"buying_group": asked}) == ({"a"} if expected else set())
    await group(world, b, "grid", qualified_at=NOW)
    assert ("b" in await holds(world, {"buying_group": {"qualified": True}})) is True


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "pq"),
        ({"role": "CHIEF"}, "p"),
        ({"role": {"is_not": "chief"}}, "q"),
        ({"removed": True}, "r"),
        ({"removed": True, "role": "chief"}, ""),
        ({"removed": False, "stage": "open"}, "pq"),
        ({"stage": "won"}, ""),
        ({"solution_interest": "grid", "completeness": {"at_least": 50}}, "pq"),
        ({"engagement": {"greater_than": 0}}, ""),
    ],
    ids=str,
)
async def test_person_belongs_to_a_buying_group(
    world: World, asked: dict[str, Any], expected: str
) -> None:
    a = await account(world, "a", {})
    p, q, r, _ = [await person(world, a, name, {}, []) for name in "pqrs"]
    members = {p: "chief", q: "user", r: "-user"}
    await group(world, a, "grid", members, stage="open", completeness=TWO_THIRDS)
    assert await holds(world, {"member_of": asked}, "person") == set(expected)
    counted = {"people": {"when": {"member_of": asked}}}
    assert await holds(world, counted) == ({"a"} if expected else set())


async def test_group_is_of_the_account_that_travels_and_in_a_list_of_any(world: World) -> None:
    a, b = await account(world, "a", {}), await account(world, "b", {})
    p = await person(world, a, "p", {}, [])
    await world.engage.execute(
        "insert into relations (id, account_id, person_id) values (1, $1, $2)", b, p
    )
    await group(world, b, "grid", {p: "chief"})
    rows = {"member_of": {"role": "chief"}}
    with_a = {"people": {"when": rows}}
    assert await holds(world, with_a) == {"b"}
    parsed = read(rows, "person", True)
    binder = Binder()
    fragment = compile_condition(parsed, "person", binder, travelling=False)
    ask = f"select p.external_id from people p where {fragment.predicate}"
    assert await world.engage.fetchval(ask, *binder.args()) == "p"
    await world.engage.execute("update accounts set deleted_at = $2 where id = $1", b, NOW)
    assert await world.engage.fetchval(ask, *binder.args()) is None


async def test_reason_is_the_group_that_was_found_or_came_nearest(world: World) -> None:
    a = await account(world, "a", {})
    p = await person(world, a, "p", {}, [])
    await group(world, a, "water", {p: "-chief"}, stage="won")
    grid = await group(world, a, "grid", {p: "user"}, stage="open", completeness=TWO_THIRDS)
    shown = await because(world, {"buying_group": {"stage": "open", "role": {"name": "user"}}})
    assert (shown["group"], shown["stage"], shown["roles"]) == (grid, "open", {"user": 1})
    missed = await because(world, {"buying_group": {"solution_interest": "grid", "stage": "won"}})
    assert (missed["group"], missed["stage"]) == (grid, "open")
    assert round(missed["completeness"]) == 67
    member = await because(world, {"member_of": {"role": "user"}}, "person")
    assert (member["group"], member["role"], member["source"]) == (grid, "user", "job")


async def test_engagement_is_a_field_of_people_and_nobody_s_is_0(world: World) -> None:
    a, b = await account(world, "a", {}), await account(world, "b", {})
    p = await person(world, a, "p", {"job_title": "Chief"}, [])
    await person(world, b, "q", {"job_title": "Chief"}, [])
    await world.engage.execute(
        "insert into engagement_people (person_id, score) values ($1, 35.25)", p
    )
    for test, people in [
        ({"at_least": 35.25}, {"p"}),
        ({"greater_than": 35.25}, set()),
        (0, {"q"}),
        ({"empty": True}, set()),
    ]:
        assert await holds(world, {"person": {"engagement": test}}, "person") == people, test
    chief = {"engagement": {"less_than": 50}, "job_title": "Chief"}
    assert await holds(world, {"person": chief}) == {"a", "b"}
    assert await holds(world, {"person": chief | {"engagement": {"at_least": 1}}}) == {"a"}
