"""What a role may ask of people: audiences, lists and engagement, answered in the engage store."""

import json

import pytest

from tests.grouping import Grouping
from tests.world import World

DOCUMENTS = """
audience: abroad
of: people
when: {person: {country: {is_not: SE}}}
---
people_list: guests
type: static
members: [q]
---
people_list: clerks
type: dynamic
when: {person: {job_title: Clerk}}
---
roles_template: team
roles:
  - {role: traveller, when: {audience: abroad}}
  - {role: guest, when: {people_list: guests, role_in_account: {empty: true}}}
  - {role: keen, when: {person: {engagement: {at_least: 50}}}}
  - {role: clerk, when: {people_list: clerks, account: {industry: Energy}}}
  - {role: asker, when: {did: {event: form_filled, within: 30 days}}}
---
solution_interest: grid
roles_template: team
---
buying_groups: all
solution_interest: grid
audience: everyone
"""
PEOPLE = "person_id,email,country,job_title,account_id\n"


@pytest.fixture
async def grouping(world: World) -> Grouping:
    """An account whose five people each play another role; the last has none."""
    workspace = world.workspace(DOCUMENTS)
    await world.load(
        workspace,
        accounts="account_id,name,industry\na,Acme,Energy\n",
        people=PEOPLE + "p,p@a.example,NO,,a\nq,q@a.example,SE,,a\nr,r@a.example,SE,Clerk,a\ns,s@a.example,SE,,a\n",
        events=json.dumps({"id": "1", "at": world.now.isoformat(), "type": "form_filled", "person_id": "s"}),
    )  # fmt: skip
    await world.store(workspace)
    new = Grouping(world)
    await world.follow()
    await new.keep()
    return new


async def roles(grouping: Grouping) -> dict[str, str]:
    members = await grouping.members(await grouping.group("a"))
    return {person: role for person, (role, _, removed) in members.items() if not removed}


async def test_roles_ask_for_audiences_lists_and_what_was_done(grouping: Grouping) -> None:
    assert await roles(grouping) == {"p": "traveller", "q": "guest", "r": "clerk", "s": "asker"}


async def test_membership_of_an_audience_of_people_is_followed(grouping: Grouping) -> None:
    world = grouping.world
    world.pass_time(seconds=1)
    people = PEOPLE + "p,p@a.example,SE,,a\nq,q@a.example,FI,,a\n"
    await world.load(world.workspace(DOCUMENTS), people=people)
    await world.follow()
    await grouping.keep()
    assert await roles(grouping) == {"q": "traveller", "r": "clerk", "s": "asker"}


async def test_engagement_is_asked_for_in_the_daily_run(grouping: Grouping) -> None:
    await grouping.world.engage.execute(
        "insert into engagement_people (person_id, score) values ($1, 50)"
        " on conflict (person_id) do update set score = 50",
        await grouping.id_of("people", "s"),
    )
    await grouping.upkeep()
    assert (await roles(grouping))["s"] == "keen"
