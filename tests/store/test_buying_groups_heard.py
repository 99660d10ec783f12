"""What happens to buying groups in journeys: it is heard and counted, by the group's account alone."""

from typing import Any

import pytest

from caravan.campaigns import buying_group_changes as changes
from caravan.journeys.conditions.sql import Binder, compile_condition
from tests.grouping import Grouping
from tests.store.test_conditions import holds, read
from tests.world import World

GROUPS = """
roles_template: team
roles: [{role: chief, weight: vital, required: true}, {role: champion}]
---
stage_model: sales
stages: [{stage: open, entry: true, to: [won]}, {stage: won, success: true}]
---
solution_interest: grid
roles_template: team
stage_model: sales
qualified: {completeness: {at_least: 100}}
---
journey: ears
audience: everyone
schedule: {end: 30 days}
start: hear
nodes:
  hear:
    listen: [LISTEN]
    timeout: {after: 1 day, end: silence}
    end: heard
"""

#: a and b share the person s; p is a's alone
DATA = {
    "accounts": "account_id,name\na,Acme\nb,Bolt\n",
    "people": "person_id,email,country\ns,s@a.example,SE\np,p@a.example,NO\n",
    "relations": "account_id,person_id,roles\na,s,\nb,s,\na,p,\n",
}


class Ears:
    """Accounts a and b in a journey that listens; the group is a's."""

    def __init__(self, world: World, traversals: list[int], group: int) -> None:
        self.world = world
        self.group = group
        self.grouping = Grouping(world)
        self.traversals = dict(zip("ab", traversals, strict=True))

    async def ids(self, people: str) -> list[int]:
        return [await self.grouping.id_of("people", one) for one in people]

    async def change(self, what: str, *args: Any) -> None:
        if what in ("assign", "remove"):
            args = (await self.ids(args[0]), *args[1:])
        async with self.world.engage.acquire() as conn, conn.transaction():
            await getattr(changes, what)(
                conn, self.world.plans, self.group, *args, "journey", self.world.now
            )

    async def heard(self) -> str:
        """The accounts whose journeys have heard it."""
        rows = await self.world.engage.fetch("select distinct traversal_id from wakeups")
        woken = {row["traversal_id"] for row in rows}
        return "".join(
            [
                account
                for account, traversal in self.traversals.items()
                if traversal in woken and (await self.world.walk(traversal)).ended is not None
            ]
        )


async def listening(world: World, listen: str) -> Ears:
    workspace = world.workspace(GROUPS.replace("LISTEN", listen))
    await world.load(workspace, **DATA)
    journey = await world.publish(workspace, "ears")
    grouping = Grouping(world)
    await grouping.store(workspace)
    traversals = await world.enter(journey)
    for traversal in traversals:
        await world.walk(traversal)
    ears = Ears(world, traversals, await grouping.group("a"))
    await grouping.group("b")
    return ears


@pytest.mark.parametrize(
    ("listen", "heard"),
    [
        ("{added_to_buying_group: {}}", "a"),
        ("{added_to_buying_group: {solution_interest: grid, role: champion}}", "a"),
        ("{added_to_buying_group: {role: chief}}", ""),
        ("{added_to_buying_group: {who: {person: {country: SE}, member_of: {role: champion}}}}", "a"),
        ("{added_to_buying_group: {who: {person: {country: NO}}}}", ""),
        ("{event: {type: added_to_buying_group}}", "a"),
        ("{removed_from_buying_group: {}}", ""),
        ("{completeness_changed: {}}", ""),
    ],
)  # fmt: skip
async def test_who_joins_is_heard_by_the_group_s_account_alone(
    world: World, listen: str, heard: str
) -> None:
    ears = await listening(world, listen)
    await ears.change("assign", "s", "champion")
    assert await ears.heard() == heard


async def test_who_left_the_account_is_heard_leaving_the_group(world: World) -> None:
    ears = await listening(world, "{removed_from_buying_group: {role: champion}}")
    await ears.change("assign", "sp", "champion")
    await world.engage.execute(
        "update relations set deleted_at = $1 where person_id = $2",
        world.now, (await ears.ids("p"))[0],
    )  # fmt: skip
    await ears.change("remove", "p")
    assert await ears.heard() == "a"


@pytest.mark.parametrize(
    ("listen", "heard"),
    [
        ("{completeness_changed: {solution_interest: grid, score: 100, from: {less_than: 50}}}", "a"),
        ("{completeness_changed: {score: {at_most: 99.9}}}", ""),
        ("{buying_group_qualified: {solution_interest: grid}}", "a"),
        ("{buying_group_stage_changed: {to: open}}", "a"),
        ("{buying_group_stage_changed: {from: {empty: true}}}", "a"),
        ("{buying_group_stage_changed: {to: won}}", ""),
        ("{buying_group_status_changed: {to: {contains: HOT}}}", "a"),
        ("{buying_group_status_changed: {to: {is_not: Hot}}}", ""),
    ],
)  # fmt: skip
async def test_what_a_group_comes_to_is_heard(world: World, listen: str, heard: str) -> None:
    ears = await listening(world, listen)
    await ears.change("assign", "s", "chief")
    await ears.change("set_stage", "open")
    await ears.change("set_status", "Hot")
    assert await ears.heard() == heard


async def test_history_of_a_membership_is_the_account_s_and_the_person_s_in_it(
    world: World,
) -> None:
    ears = await listening(world, "{buying_group_qualified: {}}")
    await ears.change("assign", "s", "champion")
    joined = {"did": {"event": "added_to_buying_group", "where": {"role": "champion"}}}
    never = {"did_not": joined["did"]}
    now = world.now
    assert await holds(world, joined, now=now) == {"a"}
    assert await holds(world, {"people": {"when": joined}}, now=now) == {"a"}
    assert await holds(world, {"people": {"when": never}}, now=now) == {"a", "b"}
    assert await holds(world, never, now=now) == {"b"}
    binder = Binder()
    of_any = compile_condition(read(joined, "person", True), "person", binder, travelling=False)
    in_a_list = f"select p.external_id from people p where {of_any.predicate}"
    assert await world.engage.fetchval(in_a_list, *binder.args(as_of=now)) == "s"


NEW = """
roles_template: team
roles: [{role: chief, when: {person: {country: SE}}}]
---
solution_interest: grid
roles_template: team
---
buying_groups: all
solution_interest: grid
audience: everyone
---
account_list: with-group
type: dynamic
when: {buying_group: {solution_interest: grid}}
---
journey: rest
audience: everyone
schedule: {end: 30 days}
exits: [{label: group, when: {buying_group: {solution_interest: grid}}}]
start: stay
nodes:
  stay: {wait: 20 days}
"""


async def test_a_group_that_nobody_is_in_is_seen_by_lists_and_exits(world: World) -> None:
    workspace = world.workspace(NEW)
    await world.load(workspace, accounts="account_id,name\na,Acme\n")
    await world.store(workspace)
    grouping = Grouping(world)
    await grouping.store(workspace)
    [traversal] = await world.enter(await world.publish(workspace, "rest"))
    await world.walk(traversal)
    await world.follow()
    members = "select count(*) from list_members where list = 'with-group'"
    assert await world.engage.fetchval(members) == 0
    await grouping.keep()
    await world.follow()
    assert await world.engage.fetchval(members) == 1
    assert await world.engage.fetchval("select count(*) from wakeups") == 1
    ended = (await world.walk(traversal)).ended
    assert ended is not None
    assert ended.label == "group"
