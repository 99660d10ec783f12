"""What is told of audiences: freshness, users, moves, and a preview that keeps nothing."""

from datetime import UTC, datetime, timedelta

from caravan.campaigns.audience_listing import detail, listing
from caravan.platform import audiences
from caravan.platform.audience_preview import preview
from tests.world import World

DOCUMENTS = """
audience: energy
of: accounts
when: {account: {industry: Energy}}
---
audience: ending
of: accounts
when: {account: {contract_end: {in_past: 10 days}}, audience: energy}
---
audience: chiefs
of: people
when: {person: {job_title: {starts_with: Chief}}}
---
audience: unused
of: accounts
when: {account: {industry: Retail}}
---
account_list: listed
type: dynamic
when: {audience: energy}
---
journey: nurture
audience: ending
schedule: {end: 90 days}
exits: [{label: chief, when: {people: {when: {audience: chiefs}}}}]
start: rest
nodes:
  rest: {wait: 80 days}
"""


async def standing(world: World) -> None:
    """A live journey, its audiences evaluated, the outbox followed to its end."""
    workspace = world.workspace(DOCUMENTS)
    ended = (world.now - timedelta(days=3)).date()
    await world.load(
        workspace,
        accounts=f"account_id,name,industry,contract_end\na,Acme,Energy,{ended}\nb,Beta,Retail,\n",
        people="person_id,email,job_title,account_id\np,p@a.example,Chief,a\n",
    )
    await world.enter(await world.publish(workspace, "nurture"))
    await world.follow()


async def test_listing_tells_users_of_every_kind_and_what_is_kept(world: World) -> None:
    await standing(world)
    told = {one.audience: one for one in await listing(world.engage, world.platform)}
    assert {slug: one.used_by for slug, one in told.items()} == {
        "everyone": (),
        "energy": ("account_list:listed", "audience:ending"),
        "ending": ("journey:nurture",),
        "chiefs": ("journey:nurture",),
        "unused": (),
    }
    assert {slug: (one.members, one.kept, one.waiting) for slug, one in told.items()} == {
        "everyone": (0, False, None),
        "energy": (1, True, 0),
        "ending": (1, True, 0),
        "chiefs": (1, True, 0),
        "unused": (0, False, None),
    }
    assert told["unused"].evaluated_at is None
    assert told["ending"].evaluated_at is not None


async def test_listing_tells_what_is_still_to_be_followed(world: World) -> None:
    await standing(world)
    workspace = world.workspace(DOCUMENTS)
    await world.load(workspace, accounts="account_id,name,industry\nb,Beta,Energy\n")
    told = {one.audience: one for one in await listing(world.engage, world.platform)}
    assert told["energy"].waiting == 1
    assert told["unused"].waiting is None


async def test_detail_tells_flips_joins_and_leaves(world: World) -> None:
    await standing(world)
    joined = world.now
    told = await detail(world.engage, world.platform, "ending", 10)
    assert told is not None
    due = datetime.combine(joined.date() + timedelta(days=8), datetime.min.time(), UTC)
    assert told.flips == (("a", due),)
    assert [(one.id, one.left_at) for one in told.joined] == [("a", None)]
    assert told.left == ()
    world.pass_time(days=9)
    await world.follow()  # the flip is announced, behind what this page itself has begun
    await world.follow()
    told = await detail(world.engage, world.platform, "ending", 10)
    assert told is not None
    assert told.listed.members == 0
    assert [(one.id, one.qualified_at, one.left_at) for one in told.left] == [
        ("a", joined, world.now)
    ]
    assert [one.id for one in told.joined] == ["a"]
    assert await detail(world.engage, world.platform, "nobody", 10) is None


async def test_preview_counts_what_is_only_written_and_keeps_nothing(world: World) -> None:
    await standing(world)
    edited = world.workspace(DOCUMENTS.replace("industry: Retail", "industry: [Retail, Energy]"))
    said = audiences.written(edited.audiences, "UTC")
    found = await preview(world.platform, "unused", said, world.now, limit=1)
    assert (found.of, found.members, found.sample) == ("accounts", 2, (("a", "Acme"),))
    found = await preview(world.platform, "chiefs", said, world.now, limit=5)
    assert (found.members, found.sample) == (1, (("p", "p@a.example"),))
    kept = await world.platform.fetchval(
        "select count(*) from audience_members where audience = 'unused'"
    )
    assert kept == 0
    asked = await audiences.stored(world.platform)
    assert (await preview(world.platform, "unused", asked, world.now, limit=1)).members == 1


async def test_preview_tells_the_sql_that_gives_its_members(world: World) -> None:
    await standing(world)
    said = await audiences.stored(world.platform)
    found = await preview(world.platform, "ending", said, world.now, limit=5)
    rows = await world.platform.fetch(found.sql, *found.parameters)
    assert len(rows) == found.members == 1
