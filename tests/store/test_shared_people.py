"""Accounts that share people: their stretches get on beside each other."""

import asyncio

from caravan.campaigns import stretch
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
