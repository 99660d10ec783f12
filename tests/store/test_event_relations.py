"""A person of several accounts: what they do moves every account of theirs that listens, by their role in it."""

from datetime import timedelta

import pytest

from caravan.platform.event_lines import EventRow
from caravan.platform.events import record_events
from tests.commands import Cli
from tests.world import World

JOURNEY = """
journey: ears
audience: listening
schedule: {end: 30 days}
start: hear
nodes:
  hear:
    listen:
      - form_filled: {who: {role_in_account: buyer}, next: bought}
      - page_visited: {next: seen}
      - event_attended: {people: 2, next: together}
    look_back: 1 hour
    timeout: {after: 1 day, end: silence}
  bought: {do: [], next: who}
  who:
    split: accounts
    paths: [{label: two, when: {people: {when: {role_in_account: buyer}, at_least: 2}}, next: two}]
    otherwise: one
  two: {do: [], end: two buyers}
  one: {do: [], end: one buyer}
  seen: {do: [], end: seen}
  together: {do: [], end: together}
---
audience: listening
of: accounts
when: {account: {industry: Energy}}
"""
RELATIONS = "account_id,person_id,roles\na,p,user\nb,p,buyer\nc,p,buyer\nc,q,buyer\nd,p,buyer\n"


async def start(world: World) -> dict[str, int]:
    """Accounts a, b and c listen, d does not; p belongs to all of them, by other roles."""
    workspace = world.workspace(JOURNEY)
    await world.load(
        workspace,
        accounts="account_id,name,industry\na,A,Energy\nb,B,Energy\nc,C,Energy\nd,D,Retail\n",
        people="person_id,email\np,p@x.example\nq,q@x.example\n",
        relations=RELATIONS,
    )
    await world.enter(await world.publish(workspace, "ears"))
    rows = await world.engage.fetch(
        "select t.id, a.external_id from traversals t join accounts a on a.id = t.account_id"
        " order by t.id"
    )
    traversals = {row["external_id"]: row["id"] for row in rows}
    for traversal in traversals.values():
        await world.walk(traversal)
    return traversals


async def did(world: World, kind: str, person: str, identity: str = "e1") -> None:
    event = EventRow(identity, kind, world.now, None, person, {}, 1)
    recorded = await record_events(world.platform, [event], world.now)
    assert recorded.refused == {}


async def labels(world: World, traversals: dict[str, int]) -> dict[str, str | None]:
    said = {}
    for account, traversal in traversals.items():
        ended = (await world.walk(traversal)).ended
        said[account] = ended.label if ended else None
    return said


async def related(world: World, account: str, person: str, *, there: bool) -> None:
    """The Platform's relation of an account and a person comes, or goes."""
    if there:
        await world.load(
            world.workspace(JOURNEY),
            relations=f"account_id,person_id,roles\n{account},{person},user\n",
        )
        return
    await world.platform.execute(
        "with gone as (update relations r set deleted_at = $3 from accounts a, people p"
        " where a.id = r.account_id and p.id = r.person_id and a.external_id = $1 and p.external_id = $2"
        " returning r.id)"
        " insert into changes (entity, id, as_of, origin) select 'relation', id, $3, 'import' from gone",
        account,
        person,
        world.now,
    )


async def test_event_moves_every_account_of_the_person_that_listens(world: World) -> None:
    traversals = await start(world)
    assert traversals.keys() == {"a", "b", "c"}
    await did(world, "page_visited", "p")
    await world.follow()
    assert await world.engage.fetchval("select count(*) from wakeups") == 3
    assert await labels(world, traversals) == {"a": "seen", "b": "seen", "c": "seen"}


async def test_event_counts_by_the_role_that_the_person_has_in_each_account(world: World) -> None:
    traversals = await start(world)
    await did(world, "form_filled", "p")
    await world.follow()
    assert await labels(world, traversals) == {"a": None, "b": "one buyer", "c": "two buyers"}


async def test_people_are_those_of_the_account_that_listens(world: World) -> None:
    traversals = await start(world)
    await did(world, "event_attended", "p", "e1")
    await did(world, "event_attended", "q", "e2")
    await world.follow()
    assert await labels(world, traversals) == {"a": None, "b": None, "c": "together"}


async def test_account_that_does_not_listen_is_left_as_it_is(world: World) -> None:
    traversals = await start(world)
    await world.walk(traversals["a"])
    await did(world, "page_visited", "q")
    await world.follow()
    assert await labels(world, traversals) == {"a": None, "b": None, "c": "seen"}
    assert await world.engage.fetchval("select count(*) from accounts where external_id = 'd'") == 0


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("event_first", [True, False])
async def test_who_joins_around_their_event_moves_the_account_they_joined(
    world: World, event_first: bool, together: bool
) -> None:
    traversals = await start(world)
    steps = [lambda: did(world, "page_visited", "q"), lambda: related(world, "a", "q", there=True)]
    for step in steps if event_first else steps[::-1]:
        await step()
        if not together:
            await world.follow()
        world.pass_time(seconds=1)
    await world.follow()
    assert (await labels(world, traversals))["a"] == "seen"


@pytest.mark.parametrize(
    ("event_first", "together", "label"),
    [
        (True, False, "seen"),  # it was heard before they left
        (True, True, None),  # both are known at once: they are no member any more
        (False, False, None),
        (False, True, None),
    ],
)
async def test_who_left_moves_the_account_only_by_what_was_heard_before(
    world: World, event_first: bool, together: bool, label: str | None
) -> None:
    traversals = await start(world)
    steps = [lambda: did(world, "page_visited", "p"), lambda: related(world, "a", "p", there=False)]
    for step in steps if event_first else steps[::-1]:
        await step()
        if not together:
            await world.follow()
        world.pass_time(seconds=1)
    await world.follow()
    said = await labels(world, traversals)
    assert said == {"a": label, "b": "seen", "c": "seen"}


async def test_history_from_before_the_window_moves_nobody_who_joins(world: World) -> None:
    traversals = await start(world)
    event = EventRow("e1", "page_visited", world.now - timedelta(hours=2), None, "q", {}, 1)
    await record_events(world.platform, [event], world.now)
    await related(world, "a", "q", there=True)
    await world.follow()
    assert (await labels(world, traversals))["a"] is None


async def test_person_show_lists_the_accounts_with_the_roles_in_each(world: World) -> None:
    await start(world)
    told = await Cli(world).json("person", "show", "p")
    assert told["accounts"] == [
        {"account": "a", "account_name": "A", "roles": ["user"]},
        {"account": "b", "account_name": "B", "roles": ["buyer"]},
        {"account": "c", "account_name": "C", "roles": ["buyer"]},
    ]
    assert "buyer" in await Cli(world).say("person", "show", "p")
