"""Managed custom fields: kept while a journey that runs uses them, and indexed while an audience does."""

import asyncio

import pytest

from caravan.campaigns.managed_fields import FieldInUse, refuse_changes_in_use
from caravan.engage import life_cycle
from caravan.journeys.conditions.values import value_of
from caravan.journeys.field_uses import FieldUse
from caravan.journeys.workspace import Workspace, load_workspace
from caravan.platform.field_indexes import index_name, indexed, keep_indexes
from tests.world import World

FIELDS = "fields: {account: {contract_end: date}, person: {seniority: string}}"
ACCOUNT = (
    "contract_end: date, tier: string, seats: integer, gone: string, kept: number, vip: boolean"
)
PERSON = "seniority: string, score_of: number, nick: string"


def declaring(world: World, account: str = ACCOUNT, person: str = PERSON) -> None:
    """Rewrite the head of the workspace to declare these fields."""
    path = world.folder / "ws.yaml"
    declared = f"fields: {{account: {{{account}}}, person: {{{person}}}}}"
    text = path.read_text()
    path.write_text(
        "\n".join(declared if line.startswith("fields:") else line for line in text.splitlines())
    )


def read(world: World) -> Workspace:
    return load_workspace(world.folder, world.now)


def journey(world: World, nodes: str, more: str = "", audience: str = "everyone") -> Workspace:
    world.write(
        "ws.yaml",
        f"""
workspace: ws
subscription: {{munchkin: {world.munchkin}, sandbox: {world.sandbox}}}
sender: {{name: Us, email: us@us.example}}
postal_address: 1 Street
{FIELDS}
---
audience: everyone
of: accounts
when: {{}}
---
{more}
journey: j
audience: {audience}
schedule: {{start: now, end: 30 days}}
start: a
nodes: {{a: {nodes}, b: {{wait: 1 day}}}}
""",
    )
    declaring(world)
    workspace = read(world)
    assert not workspace.errors, workspace.errors
    return workspace


async def refused(world: World, **declared: str) -> str | None:
    """What is said where the workspace declares these fields instead."""
    declaring(world, **declared)
    try:
        await refuse_changes_in_use(world.engage, world.platform, read(world))
    except FieldInUse as error:
        return str(error)
    return None


def without(fields: str, name: str) -> str:
    return ", ".join(one for one in fields.split(", ") if not one.startswith(f"{name}:"))


@pytest.mark.parametrize(
    ("nodes", "entity", "field"),
    [
        ("{wait: {until: {account: contract_end}}, next: b}", "account", "contract_end"),
        ("{do: [{update_account: {field: tier, value: gold}}], next: b}", "account", "tier"),
        ("{do: [{update_person: {field: nick, value: '{{ account.seats }}'}}], next: b}", "account", "seats"),
        ("{do: [{update_person: {field: nick, value: x}}], next: b}", "person", "nick"),
        (
            "{split: accounts, paths: [{when: {person: {seniority: C}}, next: b}], otherwise: b}",
            "person",
            "seniority",
        ),
        (
            "{listen: [{account_changed: {field: vip}}], timeout: {after: 1 day, next: b}, next: b}",
            "account",
            "vip",
        ),
        (
            "{do: [{update_account: {field: tier, value: x}}, {account_interesting_moment: "
            "{type: web, text: '{{ account.kept }}'}}], next: b}",
            "account",
            "kept",
        ),
    ],
)  # fmt: skip
async def test_field_that_a_live_journey_uses_is_neither_removed_nor_retyped(
    world: World, nodes: str, entity: str, field: str
) -> None:
    await world.publish(journey(world, nodes), "j")
    all_of = ACCOUNT if entity == "account" else PERSON
    assert await refused(world) is None
    said = await refused(world, **{entity: without(all_of, field)})
    assert said is not None
    for part in (
        f"{entity}.{field}",
        "removed",
        "journey j v1 (live)",
        "ws.yaml",
        "journey abort j",
    ):
        assert part in said
    kind = next(one for one in all_of.split(", ") if one.startswith(f"{field}:")).split(": ")[1]
    other = "string" if kind != "string" else "number"
    said = await refused(world, **{entity: all_of.replace(f"{field}: {kind}", f"{field}: {other}")})
    assert said is not None
    assert f"changed from {kind} to {other}" in said
    # what nothing uses may go, and more may come
    unused = without(without(all_of, "gone"), "score_of") + ", new_one: string"
    assert await refused(world, **{entity: unused}) is None


async def test_field_of_the_audience_that_feeds_a_journey_counts_and_may_go_when_it_has_ended(
    world: World,
) -> None:
    inner = """audience: rich
of: accounts
when: {account: {seats: {at_least: 5}}}
---
audience: best
of: accounts
when: {audience: rich}
---
"""
    workspace = journey(world, "{wait: 2 days, next: b}", inner, audience="best")
    await world.load(workspace, accounts="account_id,name,seats\nx,X,7\n")
    await world.enter(await world.publish(workspace, "j"))
    changed = ACCOUNT.replace("seats: integer", "seats: number")
    for change, state in (
        (None, "live"),
        (life_cycle.pause(world.engage, "j", world.now), "paused"),
        (life_cycle.resume(world.engage, "j", world.now), "live"),
        (life_cycle.close(world.engage, "j"), "closed"),
    ):
        if change is not None:
            await change
        said = await refused(world, account=changed)
        assert said is not None
        assert f"j v1 ({state})" in said
    await life_cycle.abort(world.engage, "j")
    async for _ in life_cycle.take_out(world.engage, "j", world.now):
        pass
    assert await refused(world, account=changed) is None


async def test_indexes_follow_what_audiences_ask_for_and_serve_it(world: World) -> None:
    more = """audience: gold
of: accounts
when: {account: {tier: gold, industry: Energy, seats: {at_least: 5}, contract_end: {after: 2026-01-01}}}
---
audience: chiefs
of: people
when: {any: [{person: {seniority: C}}, {account: {vip: true}}]}
---
"""
    workspace = journey(world, "{wait: 1 day, next: b}", more)
    await world.store(workspace)
    built, dropped = await keep_indexes(world.platform)
    wanted = [
        ("account", "tier", "string"),
        ("account", "seats", "integer"),
        ("account", "contract_end", "date"),
        ("account", "vip", "boolean"),
        ("person", "seniority", "string"),
    ]
    assert built == sorted(index_name(FieldUse(e, f), k) for e, f, k in wanted)  # type: ignore[arg-type]
    assert dropped == []
    assert await keep_indexes(world.platform) == ([], [])
    async with world.platform.acquire() as conn, conn.transaction():
        await conn.execute("set local enable_seqscan = off")
        for field, kind, asked in (
            ("tier", "string", f"casefold({value_of('a.attributes', 'tier', 'string')}) = casefold('gold')"),
            ("seats", "integer", f"{value_of('a.attributes', 'seats', 'integer')} >= 5"),
            ("contract_end", "date", "left((a.attributes ->> 'contract_end'), 10) collate \"C\" > '2026-01-01'"),
        ):  # fmt: skip
            plan = await conn.fetch(f"explain select a.id from accounts a where {asked}")
            name = index_name(FieldUse("account", field), kind)  # type: ignore[arg-type]
            assert name in "\n".join(row[0] for row in plan), (indexed(field, kind), plan)  # type: ignore[arg-type]
    # an audience that asks no more lets its index go; two who keep them at once take turns
    other = more.replace("tier: gold, ", "").replace("seats: {at_least: 5}", "kept: {at_least: 5}")
    await world.store(journey(world, "{wait: 1 day, next: b}", other))
    done = await asyncio.gather(*(keep_indexes(world.platform) for _ in range(3)))
    assert sorted(one for built, _ in done for one in built) == [
        index_name(FieldUse("account", "kept"), "number")
    ]
    assert sorted(one for _, dropped in done for one in dropped) == sorted(
        [
            index_name(FieldUse("account", "tier"), "string"),
            index_name(FieldUse("account", "seats"), "integer"),
        ]
    )


async def test_index_is_built_beside_writers_and_a_half_built_one_anew(world: World) -> None:
    more = "audience: gold\nof: accounts\nwhen: {account: {tier: gold}}\n---\n"
    workspace = journey(world, "{wait: 1 day, next: b}", more)
    await world.store(workspace)
    await world.load(workspace, accounts="account_id,name\nx,X\n")
    name = index_name(FieldUse("account", "tier"), "string")
    async with world.platform.acquire() as conn:
        writing = conn.transaction()
        await writing.start()
        await conn.execute('update accounts set attributes = attributes || \'{"tier": "gold"}\'')
        keeping = asyncio.create_task(keep_indexes(world.platform))
        waits = (
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like $1"
        )
        while not await world.engage.fetchval(waits, f'create index concurrently "{name}%'):
            assert not keeping.done()
            await asyncio.sleep(0.01)
        # it waits for this writer, and another writes meanwhile
        await asyncio.wait_for(
            world.platform.execute("insert into accounts (id, external_id) values (99, 'other')"),
            10,
        )
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await writing.commit()
    valid = "select indisvalid from pg_index where indexrelid = to_regclass($1)"
    assert await world.platform.fetchval(valid, f'"{name}"') is False
    assert await keep_indexes(world.platform) == ([name], [])
    assert await world.platform.fetchval(valid, f'"{name}"') is True
