"""Accounts that share people: their stretches get on beside each other."""

import asyncio

from caravan.campaigns import stretch
from tests.locks import waits_for
from tests.world import World

ACCOUNTS, SHARED = 30, 5

JOURNEY = """
journey: shared
audience: everyone
schedule: {end: 30 days}
start: greet
nodes:
  greet: {do: [{person_interesting_moment: {type: web, text: Hello}}], end: over}
"""


async def test_stretches_of_accounts_that_share_people_do_not_block_each_other(
    world: World,
) -> None:
    workspace = world.workspace(JOURNEY)
    await world.load(
        workspace,
        accounts="account_id,name\n" + "".join(f"a{n},Acme {n}\n" for n in range(ACCOUNTS)),
        people="person_id,email\n" + "".join(f"p{n},p{n}@a.example\n" for n in range(SHARED)),
        relations="account_id,person_id,roles\n"
        + "".join(f"a{n},p{m},user\n" for n in range(ACCOUNTS) for m in range(SHARED)),
    )
    traversals = await world.enter(await world.publish(workspace, "shared"))
    await asyncio.gather(
        *(
            stretch.run(world.engage, world.plans, traversal, 1, world.now)
            for traversal in traversals
        )
    )
    left = "select count(*) from traversals where ended_at is null"
    assert await world.engage.fetchval(left) == 0


HEARD_AT_ONCE = """
journey: heard
audience: everyone
schedule: {end: 30 days}
start: hear
nodes:
  hear: {listen: [{form_filled: {}}], look_back: 1 day, timeout: {after: 1 day, end: silence}, next: note}
  note: {do: [{add_to_people_list: {list: heard}}], end: over}
---
people_list: heard
type: static
"""


async def test_who_has_just_listened_does_not_wait_for_who_shares_people_with_it(
    world: World,
) -> None:
    """It would hold its account against them, and they theirs against it."""
    workspace = world.workspace(HEARD_AT_ONCE)
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\nb,Bolt\n",
        people="person_id,email\np,p@x.example\n",
        relations="account_id,person_id,roles\na,p,user\nb,p,user\n",
    )
    await world.enter(await world.publish(workspace, "heard"))
    await world.happen("form_filled", "p", form="x")
    traversal = await world.engage.fetchval(
        "select t.id from traversals t join accounts a on a.id = t.account_id"
        " where a.external_id = 'a'"
    )
    async with world.engage.acquire() as other, other.transaction():
        await other.execute("select from accounts where external_id = 'b' for update")
        walking = asyncio.create_task(world.walk(traversal))
        await waits_for(other, walking)
        await other.execute("select from accounts where external_id = 'a' for key share")
    assert (await walking).ended
