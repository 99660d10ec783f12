"""Stretches that record for one person after another, and change groups, beside all others who do.

Accounts that share their people: whatever order a journey's actions come in, its locks are taken in the one
that everybody keeps, so nobody waits in a circle.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Sequence
from typing import Any

import pytest

from caravan.buying_groups import membership, upkeep
from caravan.campaigns import (
    buying_group_upkeep,
    intake,
    locking_ahead,
    recording,
    stretch,
)
from caravan.engage import sql
from caravan.engage.happening import Happening
from tests.engaging import keep_engagement
from tests.grouping import Grouping
from tests.locks import waits_for
from tests.world import World

ACCOUNTS, PEOPLE = 8, 6

#: from the last person to the first, with both of the account's groups between
JOURNEY = """
journey: circle
audience: everyone
schedule: {end: 90 days}
start: last
nodes:
  last:
    do:
      - person_interesting_moment: {type: web, text: Seen, who: {person: {first_name: Z}}}
      - update_buying_group_stage: {solution_interest: wind, stage: engaged}
      - person_interesting_moment: {type: web, text: Seen, who: {person: {first_name: M}}}
    next: first
  first:
    do:
      - update_buying_group_stage: {solution_interest: grid, stage: engaged}
      - assign_to_buying_group: {solution_interest: grid, role: champion, who: {person: {first_name: Z}}}
      - person_interesting_moment: {type: web, text: Seen, who: {person: {first_name: A}}}
    end: over
"""


async def begin(world: World) -> list[int]:
    """Accounts with two groups each and the same people in them; their traversals, not yet walked."""
    workspace = world.workspace(GROUPS + JOURNEY)
    names = "AAMMZZ"
    await world.load(
        workspace,
        accounts="account_id,name\n" + "".join(f"a{n},Acme {n}\n" for n in range(ACCOUNTS)),
        people="person_id,email,first_name\n"
        + "".join(f"p{k},p{k}@x.example,{names[k]}\n" for k in range(PEOPLE)),
        relations="account_id,person_id,roles\n"
        + "".join(f"a{n},p{k},user\n" for n in range(ACCOUNTS) for k in range(PEOPLE)),
    )
    ids = await world.enter(await world.publish(workspace, "circle"))
    grouping = Grouping(world)
    await grouping.store(workspace)
    for number in range(ACCOUNTS):
        for interest in ("grid", "wind"):
            group = await grouping.group(f"a{number}", interest)
            people = [f"p{k}" for k in range(PEOPLE)]
            await grouping.assign(group, "practitioner", "job", *people)
    await keep_engagement(world)
    return ids


GROUPS = """
roles_template: team
roles: [{role: practitioner}, {role: champion}]
---
stage_model: stages
stages: [{stage: open, entry: true, to: [engaged]}, {stage: engaged, success: true}]
---
solution_interest: grid
roles_template: team
stage_model: stages
---
solution_interest: wind
roles_template: team
stage_model: stages
---
"""


async def others(world: World, pick: random.Random) -> None:
    """Somebody else records what a few of them did, all at once."""
    people = await world.engage.fetch("select id from people order by id")
    chosen = [row["id"] for row in people if pick.random() < 0.6]
    happenings = [
        Happening("form_filled", world.now, person_id=one, fields={"form": "x"}) for one in chosen
    ]
    async with world.engage.acquire() as conn, conn.transaction():
        await recording.record(conn, world.plans, happenings, world.now)


async def kept_up(world: World) -> None:
    await upkeep.question_all(world.engage)
    await buying_group_upkeep.keep_page(world.engage, world.plans, world.now)


async def flowing(world: World, pick: random.Random) -> None:
    """Accounts have changed, and people have done something, in one page from the Platform."""
    changed = [f"a{n}" for n in range(ACCOUNTS) if pick.random() < 0.2]
    doing = [f"p{k}" for k in range(PEOPLE) if pick.random() < 0.4]
    await bring_down(world, f"{pick.random()}", changed, doing)


async def bring_down(world: World, word: str, changed: Sequence[str], doing: Sequence[str]) -> None:
    """A page of the Platform's changes: accounts with another city, people who have filled in a form."""
    events = "".join(
        json.dumps({"id": f"{word}-{one}", "type": "form_filled", "person_id": one,
                    "at": world.now.isoformat(), "form": "x"}) + "\n"
        for one in doing
    )  # fmt: skip
    accounts = "account_id,city\n" + "".join(f"{one},{word}\n" for one in changed)
    await world.load(world.read(), accounts=accounts, events=events)
    await world.follow()


@pytest.mark.parametrize("rounds", [2, pytest.param(40, marks=pytest.mark.long)])
async def test_nobody_waits_in_a_circle(world: World, rounds: int) -> None:
    ids = await begin(world)
    pick = random.Random(7)
    for _ in range(rounds):
        await world.engage.execute("update buying_groups set stage = 'open'")
        await world.engage.execute(
            "update traversals set state = '{}', ended_at = null, reason = null, label = null"
        )
        await world.engage.execute("delete from steps")
        # nobody has done anything yet: who is the first to record of a person locks more
        await world.engage.execute("delete from engagement_days")
        await world.engage.execute("delete from engagement_people")
        work: list[Awaitable[Any]] = [
            stretch.run(world.engage, world.plans, one, 1, world.now) for one in ids
        ]
        work += [others(world, pick) for _ in range(8)]
        work += [kept_up(world) for _ in range(2)]
        work.append(flowing(world, pick))
        pick.shuffle(work)
        came = await asyncio.gather(*work, return_exceptions=True)
        # of a circle the detail names who waited for whom
        failed = [one for one in came if isinstance(one, BaseException)]
        assert [(one, getattr(one, "detail", None)) for one in failed] == []
        left = "select count(*) from traversals where ended_at is null"
        assert await world.engage.fetchval(left) == 0


async def test_down_flow_locks_who_has_done_something_with_the_people_of_its_bundle(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = world.workspace(GROUPS + JOURNEY)
    # the down-flow meets p1 as a person of its bundle, and p0 as somebody who does their first thing
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\nc,Circle\n",
        people="person_id,email\np0,p0@x.example\np1,p1@x.example\n",
        relations="account_id,person_id,roles\na,p1,user\nc,p0,user\nc,p1,user\n",
    )
    await world.enter(await world.publish(workspace, "circle"))
    grouping = Grouping(world)
    await grouping.store(workspace)
    await grouping.group("c")
    await keep_engagement(world)
    await world.follow()  # past the load
    account = await grouping.id_of("accounts", "c")
    numbers = [await grouping.id_of("people", f"p{k}") for k in range(2)]
    assert numbers == sorted(numbers)
    ahead: list[asyncio.Task[None]] = []
    record = recording.record

    async def lock_ahead() -> None:
        async with world.engage.acquire() as conn, conn.transaction():
            await locking_ahead.lock_ahead(conn, account)

    async def meanwhile(conn: Any, *given: Any) -> int:
        if not ahead:
            ahead.append(asyncio.create_task(lock_ahead()))
            await waits_for(conn, ahead[0])
        return await record(conn, *given)

    monkeypatch.setattr(intake.recording, "record", meanwhile)
    await bring_down(world, "Lund", changed=["a"], doing=["p0"])
    await ahead[0]
    counted = "select person_id from engagement_people"
    assert [row["person_id"] for row in await world.engage.fetch(counted)] == numbers[:1]


async def apart(world: World) -> Grouping:
    """Two accounts of one person; one has a group, which nobody is in."""
    workspace = world.workspace(GROUPS + JOURNEY)
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\nb,Bolt\n",
        people="person_id,email\np,p@x.example\n",
        relations="account_id,person_id,roles\na,p,user\nb,p,user\n",
    )
    await world.enter(await world.publish(workspace, "circle"))
    grouping = Grouping(world)
    await grouping.store(workspace)
    await grouping.group("b")
    await keep_engagement(world)
    return grouping


async def test_what_those_have_committed_who_were_waited_for_is_locked_ahead_too(
    world: World,
) -> None:
    grouping = await apart(world)
    account, person = await grouping.id_of("accounts", "a"), await grouping.id_of("people", "p")
    group = await grouping.group("b")
    ahead, is_locked = asyncio.Event(), asyncio.Event()

    async def lock_ahead() -> None:
        async with world.engage.acquire() as conn, conn.transaction():
            await locking_ahead.lock_ahead(conn, account)
            is_locked.set()
            await ahead.wait()

    async with world.engage.acquire() as conn:
        async with conn.transaction():
            # both for the first time
            filled = Happening("form_filled", world.now, person_id=person, fields={"form": "x"})
            await recording.record(conn, world.plans, [filled], world.now)
            await membership.assign(conn, group, [person], "champion", "manual", world.now)
            task = asyncio.create_task(lock_ahead())
            await waits_for(conn, task)
        await is_locked.wait()
        free = {
            "people": "select id from people for key share skip locked",
            "engagement": "select person_id from engagement_people for share skip locked",
            "groups": "select id from buying_groups for share skip locked",
        }
        assert {what: await conn.fetch(query) for what, query in free.items()} == {
            "people": [],
            "engagement": [],
            "groups": [],
        }
    ahead.set()
    await task


async def test_scores_are_changed_behind_a_lock_of_their_people(world: World) -> None:
    grouping = await apart(world)
    account, person = await grouping.id_of("accounts", "a"), await grouping.id_of("people", "p")

    async def change(conn: Any) -> None:
        change = {"score": "interest", "start": 0, "by": 5, "to": None}
        await sql.fetch(conn, "change_scores", person_ids=[person], **change)

    async def somebody_else() -> None:
        async with world.engage.acquire() as conn, conn.transaction():
            await change(conn)

    async with world.engage.acquire() as conn, conn.transaction():
        await locking_ahead.lock_ahead(conn, account)
        task = asyncio.create_task(somebody_else())
        await waits_for(conn, task)
        await change(conn)
    await task
    assert await world.engage.fetchval("select value from scores") == 10


async def test_where_nothing_counts_and_nobody_is_in_a_group_nothing_is_locked_ahead(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    async def lock_ahead(conn: Any, account_id: int) -> None:
        asked.append(account_id)

    monkeypatch.setattr(locking_ahead, "lock_ahead", lock_ahead)
    moments = JOURNEY.split("    next: first")[0].replace(
        "      - update_buying_group_stage: {solution_interest: wind, stage: engaged}\n", ""
    )
    workspace = world.workspace(moments + "    end: over\n")
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\nb,Beta\n",
        people="person_id,email,first_name,account_id\np,p@x.example,Z,a\nq,q@x.example,M,b\n",
    )
    plain, other = await world.enter(await world.publish(workspace, "circle"))
    await stretch.run(world.engage, world.plans, plain, 1, world.now)
    assert asked == []
    await Grouping(world).store(world.workspace(GROUPS + JOURNEY))
    await Grouping(world).group("a", "grid")
    await stretch.run(world.engage, world.plans, other, 1, world.now)
    assert len(asked) == 1
