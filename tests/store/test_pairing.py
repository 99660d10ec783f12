"""Pairing: one of each whoever tries, what a subscription holds comes up first, and either may be paired anew."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from caravan import pairing
from caravan.campaigns.person_erasure import erase_here, erase_in_platform
from caravan.campaigns.personal_data import find
from caravan.database.erasures import ErasureKey, ErasureKeyMissing
from caravan.database.errors import NotOurs, StillRuns
from caravan.engage import life_cycle, subscriptions
from caravan.pairing import Databases, Paired
from caravan.platform import (
    activity_stream,
    convergence,
    first_load,
    personas,
    renumbering,
    sandboxes,
    sync,
)
from caravan.platform import sql as platform_sql
from caravan.platform.first_load import FirstLoad
from caravan.stack.stack import Stack
from caravan.stores import Stores
from tests.commands import caravan
from tests.identifying import RULES, bring, records, unmerge, with_rules
from tests.pairs import Pair
from tests.world import EMBEDDER, World

JOURNEY = """
journey: greet
audience: everyone
schedule: {start: now, end: 30 days}
start: hi
nodes: {hi: {do: [{send_email: {template: hello}}], next: rest}, rest: {wait: 3 days}}
"""

KEY = ErasureKey("k" * 32)


class Died(Exception):
    """As if the process were gone."""


class Both:
    """Two pairs whose records bear each other's numbers."""

    def __init__(self, one: World, two: World) -> None:
        self.one, self.two = one, two
        self.databases = Databases(one.stores.platform_dsn, one.stores.engage_dsn)
        self.stopped: list[str] = []

    @property
    def worlds(self) -> tuple[World, World]:
        return self.one, self.two

    async def unpair(self, world: World, held_for: float = pairing.HELD_FOR) -> None:
        async def stop() -> None:
            self.stopped.append(world.munchkin)

        await pairing.unpair(
            self.databases, world.munchkin, world.now, stop=stop, let_go=0, held_for=held_for
        )

    async def pair(self, sandbox: str, munchkin: str, key: ErasureKey | None = None) -> Paired:
        return await pairing.pair(self.databases, sandbox, munchkin, self.one.now, key=key)


@pytest.fixture
async def both(world: World, tmp_path: Path) -> AsyncIterator[Both]:
    pair = Pair(
        world.stores.platform_dsn,
        world.stores.engage_dsn,
        munchkin=f"{world.munchkin}-two",
        sandbox=f"{world.sandbox}-two",
    )
    await pair.provision()
    two = World(tmp_path.parent / f"{tmp_path.name}-two", pair)
    await two.open()
    yield Both(world, two)
    await two.close()


async def filled(world: World, accounts: str, people: str, **more: str) -> None:
    """A pair whose engage store holds what is imported, with nothing that runs any more."""
    workspace = world.workspace(JOURNEY, mails=("hello",))
    await world.load(
        workspace,
        accounts="account_id,name,industry\n" + accounts,
        people="person_id,email,account_id,job_title\n" + people,
        **more,
    )
    for traversal in await world.enter(await world.publish(workspace, "greet")):
        await world.walk(traversal)
    await stop_journey(world)


async def stop_journey(world: World) -> None:
    await life_cycle.abort(world.engage, "greet")
    async for _ in life_cycle.take_out(world.engage, "greet", world.now):
        pass


async def shared(pool: Any) -> dict[str, list[Any]]:
    """What both stores of a pair have to agree on, of all records of a pool."""
    found = {}
    for table, what in (
        ("accounts", "external_id, null::bigint as a, null::bigint as b"),
        ("people", "external_id, null::bigint as a, null::bigint as b"),
        ("relations", "null::text, account_id as a, person_id as b"),
        ("opportunities", "external_id, account_id as a, null::bigint as b"),
    ):
        rows = await pool.fetch(
            f"select id, {what}, attributes, stamps, deleted_at is not null from {table} order by id"
        )
        found[table] = [tuple(map(str, row)) for row in rows]
    return found


PERSONA = """
persona: chief
examples: [CEO, Chief Executive Officer]
---
"""


async def test_personas_of_whoever_comes_up_are_told_by_the_sandbox_it_is_paired_with(
    both: Both,
) -> None:
    one, two = both.worlds
    await filled(one, "a,Alpha,\nc,Core,\n", "p,p@x.example,a,CEO\nr,r@x.example,c,Clerk\n")
    # a sandbox that calls the same person a chief, and one that has no personas: neither's word stays with another
    await one.tell_personas(one.workspace(PERSONA.replace("chief", "boss") + JOURNEY, ("hello",)))
    await one.follow()
    await two.tell_personas(two.workspace(PERSONA + JOURNEY, ("hello",)))
    for world in both.worlds:
        await both.unpair(world)
    await both.pair(two.sandbox, one.munchkin)
    stores = Stores(both.databases.platform_dsn, both.databases.engage_dsn)
    told = "select external_id, persona from people order by 1"
    try:
        platform, engage = await stores.platform(one.munchkin), await stores.engage(one.munchkin)
        assert [tuple(row) for row in await engage.fetch(told)] == [("p", None), ("r", None)]
        await personas.read_all(platform, EMBEDDER, one.now)
        one.platform = platform
        await one.follow()
        assert [tuple(row) for row in await engage.fetch(told)] == [("p", "chief"), ("r", None)]
        found = await convergence.compare(engage, platform, one.munchkin, again=0)
        assert found.differences == []
    finally:
        await stores.close()


async def test_rivals_for_both_sides_of_a_pair_are_decided_between_by_the_database(
    both: Both,
) -> None:
    names = [f"{both.one.munchkin}-rival-{number}" for number in range(4)]
    answers = await asyncio.gather(
        *(both.pair(sandbox, munchkin) for sandbox in names for munchkin in names),
        return_exceptions=True,
    )
    won = [answer for answer in answers if isinstance(answer, Paired)]
    lost = [answer for answer in answers if not isinstance(answer, Paired)]
    assert all(isinstance(answer, NotOurs) for answer in lost), lost
    rows = await sandboxes.pairings(both.databases.platform_dsn, unfinished=True)
    told = {(r["sandbox"], r["munchkin"]) for r in rows if r["munchkin"] in names}
    assert told == {(one.sandbox, one.munchkin) for one in won}
    assert all(row["ready"] for row in rows)
    assert len({sandbox for sandbox, _ in told}) == len({m for _, m in told}) == len(told) > 0
    for sandbox, munchkin in told:
        owner = await subscriptions.owner(both.databases.engage_dsn, munchkin)
        assert owner["sandbox"] == sandbox


async def test_database_itself_refuses_a_second_pair_of_either(world: World) -> None:
    for sandbox, munchkin in (
        (world.sandbox.upper(), "somebody"),
        ("some-box", world.munchkin.upper()),
    ):
        with pytest.raises(asyncpg.UniqueViolationError):
            await world.platform.execute(
                "insert into public.pairings (sandbox, munchkin) values ($1, $2)", sandbox, munchkin
            )


async def test_many_who_make_the_same_pair_make_one(both: Both) -> None:
    name = f"{both.one.munchkin}-same"
    done = await asyncio.gather(*(both.pair(name, name) for _ in range(8)))
    assert {(one.sandbox, one.munchkin) for one in done} == {(name, name)}
    assert (await both.pair(name, name)).new is False


async def test_what_a_subscription_holds_comes_up_into_an_empty_sandbox(both: Both) -> None:
    one = both.one
    await filled(
        one,
        "a,Alpha,Energy\nb,Beta,\n",
        "p,p@x.example,a,CEO\nq,q@x.example,b,\n",
        opportunities="opportunity_id,account_id,name,amount\no,a,Deal,12.5\n",
    )
    held = await shared(one.engage)
    assert {table: len(rows) for table, rows in held.items()} == {
        "accounts": 2,
        "people": 2,
        "relations": 2,
        "opportunities": 1,
    }
    await both.unpair(one)
    new = f"{one.sandbox}-new"
    done = await both.pair(new, one.munchkin)
    assert done.loaded.rows == {table: len(rows) for table, rows in held.items()}
    assert (done.loaded.matched, done.loaded.renumbered, done.loaded.to_erase) == (0, 0, {})
    stores = Stores(both.databases.platform_dsn, both.databases.engage_dsn)
    try:
        platform = await stores.platform(one.munchkin)
        assert await shared(platform) == held
        # nothing waits in either outbox that the other would have to be told
        assert (await sync.lag(one.engage, platform, one.munchkin)).rows == 0
        # and whoever is born now has a number that nobody has
        assert await platform.fetchval("select nextval('record_ids')") > max(
            int(row[0]) for rows in held.values() for row in rows
        )
        buying_groups = await platform.fetchval(
            "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname = $1 and c.relname like '%buying%'",
            sandboxes.schema_of_sandbox(new),
        )
        assert buying_groups == 0
    finally:
        await stores.close()


async def crossed(both: Both) -> None:
    """Both pairs have the accounts a and b and their people, under crossed numbers, and one has more."""
    await filled(
        both.one,
        "a,Alpha,Energy\nb,Beta,\nonly-one,One,\n",
        "p,p@x.example,a,CEO\nq,q@x.example,b,\n",
        opportunities="opportunity_id,account_id,name\no,a,Deal\n",
    )
    both.two.pass_time(seconds=1)
    await filled(
        both.two,
        "only-two,Two,\nb,Beta,Retail\na,Alpha the later,\n",
        "new,new@x.example,a,CTO\nq,q@x.example,b,Buyer\np,p@x.example,a,\n",
        opportunities="opportunity_id,account_id,name\nx,b,Other\no,a,Deal\n",
        events='{"id": "e1", "at": "2026-01-01T00:00:00Z", "type": "form_filled", "person_id": "p", "form": "f"}\n',
    )
    for world in (both.one, both.two):
        await both.unpair(world)


async def test_sandbox_that_has_data_takes_the_numbers_of_the_subscription(both: Both) -> None:
    await crossed(both)
    one, two = both.one, both.two
    before = await shared(one.engage)
    done = await both.pair(two.sandbox, one.munchkin)
    assert done.loaded.matched == 2 + 2 + 2 + 1  # accounts, people, relations, opportunities
    assert done.loaded.renumbered > 0
    stores = Stores(both.databases.platform_dsn, both.databases.engage_dsn)
    try:
        one.platform = await stores.platform(one.munchkin)
        await one.follow()
        here, there = await shared(one.engage), await shared(one.platform)
        # the numbers of the subscription are what they were
        ids = {table: {row[0]: row[1] for row in rows} for table, rows in before.items()}
        for table, rows in ids.items():
            now = {row[0]: row[1] for row in here[table]}
            assert {number: now[number] for number in rows} == rows
        # what it holds and the sandbox has says the same in both, relations and accounts of deals included
        for table, rows in here.items():
            assert set(rows) <= set(there[table]), table
        # by field the later word: the name of the second import, and the industry that only the first had
        said = await one.engage.fetchval("select attributes from accounts where external_id = 'a'")
        assert (said["name"], said["industry"]) == ("Alpha the later", "Energy")
        # who was in the sandbox alone came along with their account, under a number of their own
        assert {row[1] for row in here["people"]} == {"p", "q", "new"}
        assert {row[1] for row in there["accounts"]} == {"a", "b", "only-one", "only-two"}
        assert {row[1] for row in here["opportunities"]} == {"o", "x"}
        # and so did the history
        history = await one.engage.fetch(
            "select p.external_id from activities v join people p on p.id = v.person_id"
            " where v.external_id = 'e1'"
        )
        assert [row["external_id"] for row in history] == ["p"]
        numbers = [row[0] for rows in there.values() for row in rows]
        assert len(numbers) == len(set(numbers))  # a number is one record's of all four tables
        people = await one.platform.fetch(
            "select p.external_id from segment_members s join people p on p.id = s.person_id"
        )
        assert people == []  # segments were of the other subscription's journeys
    finally:
        await stores.close()


@pytest.mark.parametrize("taken_back", [False, True])
async def test_word_about_a_deletion_comes_up_with_the_flag_it_is_about(
    world: World, taken_back: bool
) -> None:
    """The later word, that a record was deleted or is one again, holds in both from then on."""
    workspace = world.workspace(JOURNEY, mails=("hello",))
    await world.load(workspace, accounts="account_id,name\na,Alpha\n")
    await world.engage.execute(
        "insert into accounts (id, external_id) values ($1, 'a')",
        await world.platform.fetchval("select id from accounts"),
    )
    for pool, deleted, said in (
        (world.platform, taken_back, world.now + timedelta(minutes=30)),
        (world.engage, not taken_back, world.now + timedelta(hours=1)),
    ):
        await pool.execute(
            "update accounts set deleted_at = case when $1 then $2::timestamptz end,"
            " stamps = stamps || jsonb_build_object('$deleted', stamp($2))",
            deleted,
            said,
        )
    world.pass_time(hours=2)
    await FirstLoad(world.engage, world.platform, world.munchkin, None, world.now).run()
    told = await world.platform.fetchval("select fields from changes where origin = 'sync'")
    assert (told["$deleted"] is None) == taken_back
    await world.follow()
    for pool in (world.platform, world.engage):
        row = await pool.fetchrow("select deleted_at is null as there, attributes from accounts")
        assert row["there"] == taken_back
        assert "$deleted" not in row["attributes"]


@pytest.mark.parametrize("died_after", [0, 2, 5])
async def test_load_that_was_killed_goes_on_and_ends_the_same(
    both: Both, monkeypatch: pytest.MonkeyPatch, died_after: int
) -> None:
    await crossed(both)
    monkeypatch.setattr(first_load, "PAGE", 1)
    pages = 0
    apply = FirstLoad._apply

    async def dies(self: FirstLoad, *arguments: Any) -> Any:
        nonlocal pages
        if pages == died_after:
            raise Died
        pages += 1
        return await apply(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(FirstLoad, "_apply", dies)
        with pytest.raises(Died):
            await both.pair(both.two.sandbox, both.one.munchkin)
    with pytest.raises(NotOurs, match="half paired"):
        await sandboxes.pair_of(both.databases.platform_dsn, both.one.munchkin)
    # both at once, as two who see it half paired would
    done = await asyncio.gather(
        both.pair(both.two.sandbox, both.one.munchkin),
        both.pair(both.two.sandbox, both.one.munchkin),
    )
    assert pages + sum(sum(one.loaded.rows.values()) for one in done) > 0
    here, there = await shared(both.one.engage), await shared(both.two.platform)
    for table, rows in here.items():
        known = {row[0]: row[1:4] for row in there[table]}
        assert [known[row[0]] for row in rows] == [row[1:4] for row in rows], table


async def test_pair_stays_while_something_runs_and_may_be_taken_apart_then(both: Both) -> None:
    one = both.one
    workspace = one.workspace(JOURNEY, mails=("hello",))
    await one.load(
        workspace,
        accounts="account_id,name\na,Alpha\n",
        people="person_id,email,account_id\np,p@x.example,a\n",
    )
    await one.enter(await one.publish(workspace, "greet"))
    with pytest.raises(StillRuns, match=r"greet v1 \(live\).*accounts inside: 1.*close\|abort"):
        await both.unpair(one)
    assert (await sandboxes.pair_of(both.databases.platform_dsn, one.munchkin))["ready"]
    assert both.stopped == []
    await stop_journey(one)
    await one.engage.execute(
        "insert into changes (entity, id, fields, as_of, origin)"
        " select 'account', id, '{\"city\": \"Bergen\"}', $1, 'journey' from accounts",
        one.now,
    )
    await both.unpair(one)
    assert both.stopped == [one.munchkin] * 2
    # what happened in the subscription came up before
    assert await one.platform.fetchval("select attributes ->> 'city' from accounts") == "Bergen"
    with pytest.raises(asyncpg.RaiseError, match="paired with no sandbox"):
        await one.publish(one.workspace(JOURNEY.replace("greet", "again"), ("hello",)), "again")
    stores = Stores(both.databases.platform_dsn, both.databases.engage_dsn)
    with pytest.raises(NotOurs, match="paired with no sandbox"):
        await stores.engage(one.munchkin)
    assert one.munchkin in await subscriptions.unpaired(both.databases.engage_dsn)
    assert one.sandbox in await sandboxes.unpaired(both.databases.platform_dsn)
    # the two may come together again, and nothing is new to either
    done = await both.pair(one.sandbox, one.munchkin)
    assert (done.loaded.matched, done.loaded.renumbered) == (3, 0)


async def test_records_that_are_one_come_through_a_new_pair(both: Both) -> None:
    """Under other numbers, with what either store has said of them meanwhile, and apart again as they were."""
    one, two = both.two, both.one
    await filled(two, "z,Zeta,\n", "z,z@x.example,z,\n")
    accounts, deals = "account_id,name\n1,Acme\n", "opportunity_id,account_id,name\nd,1,Deal\n"
    people = "person_id,email,account_id\n17,ada@x.example,1\n"
    for source in ("crm", "erp"):
        await bring(one, source, "accounts.csv", accounts)
        await bring(one, source, "people.csv", people)
        await bring(one, source, "opportunities.csv", deals)
    await bring(two, "erp", "accounts.csv", accounts)
    await bring(two, "erp", "people.csv", people)
    await two.enter(await two.publish(two.workspace(JOURNEY, ("hello",)), "greet"))
    await stop_journey(two)
    rules = RULES.replace("[domain]", "[name]")
    await with_rules(one, rules)
    for world in (one, two):
        await both.unpair(world)
    two.pass_time(minutes=1)
    for word in ({"unsubscribed": True}, {"city": "Oslo"}):
        await two.engage.execute(
            "update people set attributes = attributes || $1,"
            " stamps = stamps || jsonb_build_object((select key from jsonb_each($1)), stamp($2))"
            " where external_id = 'erp:17'",
            word,
            two.now,
        )
    done = await both.pair(one.sandbox, two.munchkin)
    assert done.loaded.renumbered > 0
    stores = Stores(both.databases.platform_dsn, both.databases.engage_dsn)
    try:
        two.platform = await stores.platform(two.munchkin)
        await two.follow()
        found = await convergence.compare(two.engage, two.platform, two.munchkin, again=0)
        assert found.differences == []
        everyone = await records(two.platform)
        assert everyone["crm:17"].of == {"crm:17", "erp:17"}
        assert everyone["crm:17"].fields["unsubscribed"] is True
        await unmerge(two, "person", "erp:17")
        await unmerge(two, "account", "erp:1")
        await two.follow()
        found = await convergence.compare(two.engage, two.platform, two.munchkin, again=0)
        assert found.differences == []
        assert sorted(await records(two.platform)) == ["crm:17", "erp:17", "z"]
        # the other record of the two has been in no audience of this subscription
        assert sorted(await records(two.engage)) == ["erp:17", "z"]
        assert (await records(two.engage))["erp:17"].fields["city"] == "Oslo"
        deals_of = await two.platform.fetch(
            "select o.external_id, a.external_id as of from opportunities o join accounts a on a.id = o.account_id order by 1"
        )
        assert [tuple(row) for row in deals_of] == [("crm:d", "crm:1"), ("erp:d", "erp:1")]
        # and no rule makes them one again, whoever asks
        await with_rules(two, rules)
        assert sorted(await records(two.platform)) == ["crm:17", "erp:17", "z"]
    finally:
        await stores.close()


async def test_pair_is_not_taken_apart_before_the_last_word_has_gone_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a transaction anywhere holds it back, or whoever unpairs is killed, or it is said when all let go."""
    databases = Databases(world.stores.platform_dsn, world.stores.engage_dsn)
    await filled(world, "a,Alpha,\n", "p,p@x.example,a,\n")
    await activity_stream.want(world.platform, True)

    async def say(city: str) -> None:
        await world.engage.execute(
            "insert into changes (entity, id, fields, as_of, origin)"
            " select 'account', id, jsonb_build_object('city', $2::text), $1, 'journey' from accounts",
            world.now,
            city,
        )

    async def take_apart(*, held_for: float = pairing.HELD_FOR, dies: bool = False) -> None:
        calls = 0

        async def stop() -> None:
            nonlocal calls
            calls += 1
            if dies:
                raise Died
            if calls == 2:  # by somebody who believed until now that the two belong together
                await say("Bergen")

        await pairing.unpair(
            databases, world.munchkin, world.now, stop=stop, let_go=0, held_for=held_for
        )

    world.pass_time(seconds=5)
    await say("Oslo")
    with pytest.raises(Died):
        await take_apart(dies=True)
    async with world.platform.acquire() as other, other.transaction():
        await other.fetchval("select pg_current_xact_id()")
        with pytest.raises(
            StillRuns, match=r"not all gone up.*a transaction open since .* goes on"
        ):
            await take_apart(held_for=0)
    rows = await sandboxes.pairings(databases.platform_dsn, unfinished=True)
    assert [row["ready"] for row in rows if row["munchkin"] == world.munchkin] == [False]
    world.pass_time(seconds=5)
    await take_apart()
    assert await world.platform.fetchval("select attributes ->> 'city' from accounts") == "Bergen"
    told = await world.platform.fetchval(
        "select count(*) from activities where type = 'email_sent'"
    )
    assert told == 1
    rows = await sandboxes.pairings(databases.platform_dsn, unfinished=True)
    assert world.munchkin not in {row["munchkin"] for row in rows}


async def test_table_of_pairs_of_the_version_before_is_upgraded_by_taking_one_apart(
    world: World,
) -> None:
    name = f"platform_of_before_{world.munchkin.replace('-', '_')}"
    await world.platform.execute(f"create database {name} template template0")
    dsn = urlsplit(world.stores.platform_dsn)._replace(path=f"/{name}").geturl()
    old = Pair(dsn, world.stores.engage_dsn, munchkin=f"{world.munchkin}-before", sandbox="before")
    try:
        await old.provision()
        conn = await asyncpg.connect(dsn)
        await conn.execute(
            "alter table public.pairings drop column pair_id, drop column ready_at;"
            " drop index public.pairings_sandbox_schema, public.pairings_munchkin_schema"
        )
        await conn.close()

        async def stop() -> None:
            pass

        databases = Databases(dsn, old.engage_dsn)
        sandbox = await pairing.unpair(databases, old.munchkin, world.now, stop=stop, let_go=0)
        assert sandbox == "before"
        assert await sandboxes.pairings(dsn, unfinished=True) == []
        assert old.munchkin in await subscriptions.unpaired(old.engage_dsn)
    finally:
        await world.platform.execute(f"drop database {name}")


async def test_journey_published_while_a_pair_is_taken_apart_is_seen_or_refused(both: Both) -> None:
    """Whichever of the two commits first: never is a subscription unpaired whose journey runs."""
    one = both.one
    workspace = one.workspace(JOURNEY, mails=("hello",))
    published, unpaired = await asyncio.gather(
        one.publish(workspace, "greet"), both.unpair(one), return_exceptions=True
    )
    runs = await one.engage.fetchval("select count(*) from journeys where state = 'live'")
    bound = await one.engage.fetchval("select sandbox is not null from pair")
    assert (runs, bound) in ((1, True), (0, False)), (published, unpaired)
    if runs:
        assert (await sandboxes.pair_of(both.databases.platform_dsn, one.munchkin))["ready"]


async def test_process_that_knew_a_pair_learns_that_it_is_none_any_more(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = both.one
    monkeypatch.setattr("caravan.stores.BELIEVED_FOR", 0.0)
    old = await one.stores.platform(one.munchkin)
    await both.unpair(one)
    with pytest.raises(NotOurs):
        await one.stores.engage(one.munchkin)
    await both.unpair(both.two)
    await both.pair(both.two.sandbox, one.munchkin)
    assert await one.stores.platform(one.munchkin) is not old
    schema = await (await one.stores.platform(one.munchkin)).fetchval("select current_schema()")
    assert schema == sandboxes.schema_of_sandbox(both.two.sandbox)


async def test_person_erased_from_one_of_the_two_is_erased_from_the_other(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crossed_but_erased(both)
    with pytest.raises(ErasureKeyMissing):
        await both.pair(both.two.sandbox, both.one.munchkin)
    with monkeypatch.context() as patched:  # killed between the load and the erasing

        async def dies(*_: Any) -> None:
            raise Died

        patched.setattr(pairing, "erase_from_both", dies)
        with pytest.raises(Died):
            await both.pair(both.two.sandbox, both.one.munchkin, KEY)
    done = await both.pair(both.two.sandbox, both.one.munchkin, KEY)
    # r is known by the address of q alone, as an import would know them
    assert sorted(done.loaded.to_erase.values()) == ["p", "q", "r"]
    one = both.one
    one.platform = both.two.platform
    await one.follow()
    for pool in (one.platform, one.engage):
        rows = await pool.fetch(
            "select external_id, attributes from people where erased_at is null"
        )
        assert [row["external_id"] for row in rows] == ["new"]
        left = await pool.fetchval(
            "select count(*) from people where erased_at is not null and attributes <> '{}'"
        )
        assert left == 0
    # and nobody comes back by what is written meanwhile or given again
    again = await both.pair(both.two.sandbox, both.one.munchkin, KEY)
    assert (again.new, again.loaded.to_erase) == (False, {})


async def crossed_but_erased(both: Both) -> None:
    """Each of the two was told to forget somebody whom the other still has."""
    for world, accounts, people, gone in (
        (both.one, "a,Alpha,\n", "p,p@x.example,a,\nq,q@x.example,a,\n", "q"),
        (
            both.two,
            "a,Alpha,\n",
            "new,n@x.example,a,\nq,q@x.example,a,\np,p@x.example,a,\nr,Q@X.example,a,\n",
            "p",
        ),
    ):
        await filled(world, accounts, people)
        person = await find(world.engage, world.platform, gone)
        assert person is not None
        await erase_here(world.engage, world.plans, person, KEY, world.now)
        await erase_in_platform(world.platform, person, KEY, world.now)
        await both.unpair(world)


async def test_two_pairs_on_one_server_see_nothing_of_each_other(both: Both, stack: Stack) -> None:
    """The same journey over the same ids, outside and in the stores, in both."""
    listening = JOURNEY.replace("rest: {wait: 3 days}", "rest: {listen: [form_filled: {form: f}]}")
    inside, workflows = {}, {}
    for world, city in ((both.one, "Oslo"), (both.two, "Rome")):
        workspace = world.workspace(listening, mails=("hello",))
        await world.load(
            workspace,
            accounts=f"account_id,name,city\na,Alpha,{city}\n",
            people=f"person_id,email,account_id\np,p@{city.lower()}.example,a\n",
        )
        [inside[world]] = await world.enter(await world.publish(workspace, "greet"))
        workflows[world] = await world.engage.fetchval("select workflow_id from traversals")
        await world.walk(inside[world])
    one, two = both.one, both.two
    assert inside[one] == inside[two]
    assert await shared_ids(one) == await shared_ids(two)
    assert workflows[one] != workflows[two]
    assert all(workflows[world].startswith(f"journey/{world.munchkin}/") for world in both.worlds)
    assert one.mailed() == [("hello", "p@oslo.example")]
    assert two.mailed() == [("hello", "p@rome.example")]
    [[sent_by_one], [sent_by_two]] = [await world.ledger() for world in both.worlds]
    assert sent_by_one["message_id"] != sent_by_two["message_id"]
    # an event of the one, by the same ids, moves nobody of the other, and nothing follows it there
    one.pass_time(seconds=2)
    await one.load(
        one.workspace(listening, mails=("hello",)),
        events=f'{{"id": "e", "at": "{one.now:%Y-%m-%dT%H:%M:%SZ}", "type": "form_filled",'
        ' "person_id": "p", "form": "f"}\n',
    )
    for world in both.worlds:
        await world.follow()
        while await sync.drain_page(world.engage, world.platform, world.munchkin, world.now):
            pass
    heard = "select count(*) from activities where type = 'form_filled'"
    assert [await world.platform.fetchval(heard) for world in both.worlds] == [1, 0]
    assert [await world.engage.fetchval(heard) for world in both.worlds] == [1, 0]
    closed = "select count(*) from listeners where closed_at is not null"
    assert [await world.engage.fetchval(closed) for world in both.worlds] == [1, 0]
    # what is changed, stopped and forgotten in the one stays in the other
    await stop_journey(one)
    for world, state in ((one, "aborted"), (two, "live")):
        listed = await asyncio.to_thread(listing, stack, "journeys", world)
        assert [(row["journey"], row["state"]) for row in listed] == [("greet", state)]
        [person] = await world.engage.fetch("select attributes ->> 'email' as email from people")
        assert person["email"] == world.mailed()[0][1]
    both.stopped.clear()
    await both.unpair(one)
    assert both.stopped == [one.munchkin] * 2
    assert (await sandboxes.pair_of(both.databases.platform_dsn, two.munchkin))["ready"]


def listing(stack: Stack, command: str, world: World) -> Any:
    ended = caravan(
        command,
        "--subscription",
        world.munchkin,
        "--format",
        "json",
        CARAVAN_HOME=str(stack.home),
        TEMPORAL_ADDRESS="127.0.0.1:1",  # neither is asked by a listing
        SMTP_URL="smtp://127.0.0.1:1",
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


async def shared_ids(world: World) -> list[tuple[str, int]]:
    rows = await world.engage.fetch(
        "select external_id, id from accounts union all select external_id, id from people order by 1"
    )
    return [tuple(row) for row in rows]


async def test_nothing_that_bears_a_records_number_is_forgotten_when_it_changes(
    world: World,
) -> None:
    """Each column of a sandbox that may hold a record's number is followed, emptied, or no such number."""
    said = " ".join(
        platform_sql.sql(query)
        for query in (
            *sum(renumbering.FOLLOWING.values(), ()),
            *renumbering.OF_AUDIENCES,
            *renumbering.OF_IDENTITY,
        )
    )
    followed = set(re.findall(r"update (\w+) t\s+set (\w+)", said))
    followed |= set(re.findall(r"update (\w+) t\s+set \w+ = [^=]+, (\w+_id) = ", said))
    followed |= {(table, "id") for table in renumbering.FOLLOWING}
    emptied = {"changes", "segments", "segment_members"}
    no_number_of_a_record = {
        ("activities", "id"),
        ("audience_departures", "id"),
        ("changes", "seq"),
        ("cursors", "seq"),
        ("merges", "id"),
        ("running_imports", "id"),
    }
    rows = await world.platform.fetch(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = current_schema() and data_type = 'bigint'"
        " and (column_name = 'id' or column_name like '%\\_id' or column_name in ('seq', 'merged_into'))"
        " and table_name in (select relname from pg_class where relkind = 'r')"
    )
    columns = {tuple(row) for row in rows if row["table_name"] not in emptied}
    assert columns - no_number_of_a_record == followed
