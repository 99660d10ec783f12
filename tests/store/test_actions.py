"""Actions on other journeys, on scores and on opportunities, and campaigns on request."""

from typing import Any

import pytest

from caravan.campaigns import stretch
from caravan.delivery.capture import CaptureTransport
from caravan.engage import campaigns, journeys, life_cycle, sql
from caravan.journeys.compiler import compile_journey
from caravan.journeys.life_cycle import NoJourney
from caravan.platform import sync
from tests.world import World

DATA = {
    "accounts": "account_id,name\na,Acme\n",
    "people": "person_id,email,job_title,account_id\n"
    "p1,1@a.example,Chief,a\np2,2@a.example,Clerk,a\n",
    "opportunities": "opportunity_id,account_id,name,stage,amount\n"
    "o1,a,First,Won,10\no2,a,Second,Open,20\no3,a,Third,Open,30\n",
}

OTHER = """
journey: other
audience: nobody
schedule: {end: 90 days}
start: hello
nodes:
  hello: {do: [{send_email: {template: hi}}], next: rest}
  rest: {wait: 50 days, next: bye}
  bye: {do: [{account_interesting_moment: {type: web, text: bye}}]}
---
audience: nobody
when: {account: {name: Nobody}}
---
"""


def doing(*actions: str, before: str = "") -> str:
    """A journey that does these one after the other and rests."""
    listed = "".join(f"      - {action}\n" for action in actions)
    return f"""{before}
journey: main
audience: everyone
schedule: {{end: 90 days}}
start: act
nodes:
  act:
    do:
{listed}    next: rest
  rest: {{wait: 80 days}}
"""


async def begin(world: World, documents: str, mails: tuple[str, ...] = (), **data: str) -> int:
    """Publish every journey and enter ``main``; returns its traversal, not yet walked."""
    workspace = world.workspace(documents, mails)
    await world.load(workspace, **(data or DATA))
    for slug in workspace.journeys:
        if slug != "main":
            await world.publish(workspace, slug)
    [traversal] = await world.enter(await world.publish(workspace, "main"))
    return traversal


async def effects(world: World, traversal: int) -> list[tuple[str, str | None, str | None]]:
    rows = await sql.fetch(world.engage, "effects_of_traversal", traversal_id=traversal)
    return [(row["action"], row["external_id"], row["reason"]) for row in rows]


async def journey_id(world: World, slug: str) -> int:
    return int(await world.engage.fetchval("select id from journeys where slug = $1", slug))


async def happened(world: World, kind: str) -> list[dict[str, Any]]:
    rows = await world.engage.fetch(
        "select fields from activities where type = $1 order by id", kind
    )
    return [row["fields"] for row in rows]


async def test_account_is_added_to_another_journey_whatever_its_audience(world: World) -> None:
    add = "add_to_journey: {journey: other}"
    main = await begin(world, doing(add, before=OTHER), ("hi",))
    await world.walk(main)
    [other] = await world.admit(await journey_id(world, "other"))
    await world.walk(other)
    assert (await world.state(other)).position == "rest"
    assert await effects(world, main) == [("add_to_journey", None, None)]


@pytest.mark.parametrize(
    ("state", "reason"), [("live", "already-member"), ("closed", "journey-not-live")]
)
async def test_adding_says_why_it_did_not(world: World, state: str, reason: str) -> None:
    add = "add_to_journey: {journey: other}"
    before = OTHER.replace("audience: nobody\nschedule", "audience: everyone\nschedule")
    main = await begin(world, doing(add, before=before), ("hi",))
    other = await journey_id(world, "other")
    await world.enter(other)
    await world.engage.execute("update journeys set state = $2 where id = $1", other, state)
    await world.walk(main)
    assert await effects(world, main) == [("add_to_journey", None, reason)]


async def test_account_is_removed_from_another_journey_and_nothing_of_it_commits_after(
    world: World,
) -> None:
    before = OTHER.replace("audience: nobody\nschedule", "audience: everyone\nschedule")
    remove = "remove_from_journey: {journey: other}"
    main = await begin(world, doing(remove, remove, before=before), ("hi",))
    [other] = await world.enter(await journey_id(world, "other"))
    await world.walk(other)
    await world.walk(main)
    assert await effects(world, main) == [
        ("remove_from_journey", None, None),
        ("remove_from_journey", None, "not-inside"),
    ]
    row = await world.engage.fetchrow("select * from traversals where id = $1", other)
    assert (row["reason"], row["ended_at"]) == ("removed", world.now)
    assert await world.engage.fetchval(
        "select count(*) from wakeups where traversal_id = $1", other
    )

    world.pass_time(days=51)
    ran = await stretch.run(world.engage, world.plans, other, 1, world.now)
    assert ran.ended is not None
    assert ran.ended.reason == "removed"
    assert await happened(world, "account_interesting_moment") == []


async def test_mail_of_a_journey_that_the_account_was_removed_from_does_not_leave(
    world: World,
) -> None:
    before = OTHER.replace("audience: nobody\nschedule", "audience: everyone\nschedule")
    main = await begin(
        world, doing("remove_from_journey: {journey: other}", before=before), ("hi",)
    )
    [other] = await world.enter(await journey_id(world, "other"))
    await stretch.run(world.engage, world.plans, other, 1, world.now)  # stands before its mail

    class RemovesMidway(CaptureTransport):
        async def send(self, *given: Any) -> Any:
            verdict = await super().send(*given)
            await world.walk(main)
            return verdict

    world.transport = RemovesMidway()
    sending = await world.send(other)
    assert sending.ended is not None
    assert sending.ended.reason == "removed"
    assert len(world.mailed()) == 1
    rows = await world.engage.fetch(
        "select state, reason from ledger where traversal_id = $1 order by person_id", other
    )
    assert [tuple(row) for row in rows] == [("accepted", None), ("skipped", "journey-not-live")]


async def test_removing_from_a_journey_that_does_not_run_says_so(world: World) -> None:
    main = await begin(world, doing("remove_from_journey: {journey: other}", before=OTHER), ("hi",))
    other = await journey_id(world, "other")
    await world.engage.execute("update journeys set state = 'finished' where id = $1", other)
    await world.walk(main)
    assert await effects(world, main) == [("remove_from_journey", None, "journey-not-live")]


async def test_scores_grow_shrink_and_take_values(world: World) -> None:
    world.scores = "{lead: {start: 5}}"
    main = await begin(
        world,
        doing(
            "change_score: {score: lead, by: 10}",
            "change_score: {score: lead, by: -3, who: {person: {job_title: Chief}}}",
            "change_score: {score: lead, to: 12}",
            "change_score: {score: lead, by: 0, who: {person: {lead: {at_least: 13}}}}",
        ),
    )
    await world.walk(main)
    assert await effects(world, main) == [
        ("change_score", "p1", None),
        ("change_score", "p2", None),
        ("change_score", "p1", None),
        ("change_score", "p1", "unchanged"),
        ("change_score", "p2", None),
    ]
    assert [(one["from"], one["value"]) for one in await happened(world, "score_changed")] == [
        (5, 15),
        (5, 15),
        (15, 12),
        (15, 12),
    ]


async def test_score_is_asked_for_like_a_field_and_heard_when_it_changes(world: World) -> None:
    world.scores = "{lead: {start: 5}}"
    journey = """
journey: main
audience: everyone
schedule: {end: 90 days}
start: fork
nodes:
  fork:
    split: accounts
    paths: [{label: hot, when: {person: {lead: {at_least: 6}}}, end: hot}]
    otherwise: listen
  listen:
    listen: [{score_changed: {score: lead, value: {at_least: 20}, who: {person: {lead: 20}}}}]
    next: grown
  grown:
    split: accounts
    paths: [{label: grown, when: {person: {lead: 20, job_title: Clerk}}, end: grown}]
---
journey: pusher
audience: everyone
schedule: {end: 90 days}
start: act
nodes:
  act: {do: [{change_score: {score: lead, by: 15, who: {person: {job_title: Clerk}}}}]}
"""
    main = await begin(world, journey)
    await world.walk(main)
    assert (await world.state(main)).position == "listen"
    [pusher] = await world.enter(await journey_id(world, "pusher"))
    await world.walk(pusher)
    ended = (await world.walk(main)).ended
    assert ended is not None
    assert ended.label == "grown"


async def test_opportunities_that_fit_are_updated_and_the_platform_hears_of_it(
    world: World,
) -> None:
    main = await begin(
        world,
        doing(
            "update_opportunity: {which: {stage: Open, amount: {at_least: 15}}, field: stage, value: 'Met by {{ account.name }}'}",
            "update_opportunity: {which: {stage: Met by Acme}, field: stage, value: Met by Acme}",
            "update_opportunity: {which: {stage: Lost}, field: amount, value: 1}",
        ),
    )
    world.pass_time(minutes=1)  # of equal instants the Platform's word counts
    await world.walk(main)
    assert [reason for _, _, reason in await effects(world, main)] == [
        None,
        "unchanged",
        "no-opportunity",
    ]
    assert [(one["from"], one["to"]) for one in await happened(world, "opportunity_changed")] == [
        ("Open", "Met by Acme")
    ] * 2
    await sync.drain_page(world.engage, world.platform, world.munchkin, world.now)
    rows = await world.platform.fetch(
        "select attributes ->> 'stage' as stage from opportunities order by external_id"
    )
    assert [row["stage"] for row in rows] == ["Won", "Met by Acme", "Met by Acme"]


CAMPAIGN = """
campaign: invite
do:
  - send_email: {template: hi, who: {person: {job_title: Chief}}}
  - update_person: {field: seniority, value: "invited by {{ account.name }}"}
---
"""


async def requested(world: World) -> list[int]:
    rows = await world.engage.fetch(
        "select id from traversals where request_id is not null order by id"
    )
    return [row["id"] for row in rows]


async def test_requested_campaign_is_run_for_the_people_it_was_requested_for(world: World) -> None:
    main = await begin(
        world,
        doing(
            "request_campaign: {campaign: invite, who: {person: {job_title: Chief}}}",
            before=CAMPAIGN,
        ),
        ("hi",),
    )
    await world.walk(main)
    assert await effects(world, main) == [("request_campaign", "p1", None)]
    [request] = await requested(world)
    ended = (await world.walk(request)).ended
    assert ended is not None
    assert ended.reason == "completed"
    assert world.mailed() == [("hi", "1@a.example")]
    assert await effects(world, request) == [
        ("send_email", "p1", None),
        ("update_person", "p1", None),
    ]


async def test_campaign_is_requested_as_often_as_it_is_asked_for_and_once_by_a_key(
    world: World,
) -> None:
    ask = "request_campaign: {campaign: invite}"
    main = await begin(world, doing(ask, ask, before=CAMPAIGN), ("hi",))
    await world.walk(main)
    assert len(await requested(world)) == 2  # two effects, open at once for one account

    async def by_hand(key: str) -> campaigns.Request:
        async with world.engage.acquire() as conn, conn.transaction():
            campaign = await sql.fetchrow(conn, "requestable_campaign", name="invite")
            account = await conn.fetchval("select id from accounts")
            return await campaigns.request(conn, campaign, account, [], key, world.now)

    first, again, other = await by_hand("x"), await by_hand("x"), await by_hand("y")
    assert (first.new, again.new, other.new) == (True, False, True)
    assert first.traversal_id == again.traversal_id
    assert len(await requested(world)) == 4


async def test_edited_campaign_counts_for_later_requests(world: World) -> None:
    ask = "request_campaign: {campaign: invite}"
    main = await begin(world, doing(ask, before=CAMPAIGN), ("hi",))
    await world.walk(main)
    edited = world.workspace(doing(ask, before=CAMPAIGN.replace("invited by", "asked by")), ("hi",))
    await world.store(edited)
    await world.store(edited)
    [request] = await requested(world)
    await world.walk(request)
    seniority = "select distinct attributes ->> 'seniority' as s from people"
    assert [row["s"] for row in await world.engage.fetch(seniority)] == ["invited by Acme"]
    versions = await world.engage.fetch(
        "select version, state from journeys where kind = 'campaign' order by version"
    )
    assert [tuple(row) for row in versions] == [(1, "closed"), (2, "live")]


async def test_campaigns_are_in_no_listing_of_journeys(world: World) -> None:
    await begin(world, doing("request_campaign: {campaign: invite}", before=CAMPAIGN), ("hi",))
    assert [row["slug"] for row in await sql.fetch(world.engage, "journeys", slug=None)] == ["main"]
    assert [row["slug"] for row in await sql.fetch(world.engage, "running_journeys")] == ["main"]
    assert [row["name"] for row in await sql.fetch(world.engage, "ordinary_campaigns")] == [
        "invite"
    ]
    assert await sql.fetchrow(world.engage, "requestable_campaign", name="main.act") is None


ASKING = """
audience: energy
when: {account: {industry: Energy}}
---
audience: chiefs
of: people
when: {person: {job_title: Chief}}
---
journey: main
audience: everyone
schedule: {end: 90 days}
start: fork
nodes:
  fork:
    split: accounts
    paths:
      - {label: yes, when: {audience: energy, people: {when: {audience: chiefs}}}, next: ask}
    otherwise: later
  ask: {do: [{person_interesting_moment: {type: web, text: x, who: {audience: chiefs}}}]}
  later: {wait: 1 day, next: fork}
"""


async def test_condition_on_an_audience_is_answered_as_the_platform_says(world: World) -> None:
    main = await begin(world, ASKING)
    await world.walk(main)
    assert (await world.state(main)).position == "later"
    world.pass_time(minutes=1)
    await world.load(world.workspace(ASKING), accounts="account_id,name,industry\na,Acme,Energy\n")
    await world.follow()
    world.pass_time(days=1)
    await world.walk(main)
    assert await effects(world, main) == [("person_interesting_moment", "p1", None)]


async def test_what_requests_travel_takes_no_command_of_a_journeys_life(world: World) -> None:
    main = await begin(
        world, doing("request_campaign: {campaign: invite}", before=CAMPAIGN), ("hi",)
    )
    await world.walk(main)
    slug = await world.engage.fetchval("select slug from journeys where kind = 'campaign'")
    for command in (
        life_cycle.pause(world.engage, slug, world.now),
        life_cycle.close(world.engage, slug),
        life_cycle.abort(world.engage, slug),
        life_cycle.delete(world.engage, slug, world.now),
        journeys.publish_stored(world.engage, slug, world.now),
    ):
        with pytest.raises(NoJourney):
            await command
    # it is started by whoever starts what no admission does, with its mail first
    [row] = await sql.fetch(world.engage, "orphaned_traversals", at=world.now, limit=9)
    assert (row["slug"], row["mail_first"]) == (slug, True)


async def test_draft_that_asks_about_audiences_can_be_deleted(world: World) -> None:
    workspace = world.workspace(
        doing("account_interesting_moment: {type: web, text: x}")
        + "exits: [{label: in, when: {audience: everyone}}]\n"
    )
    await world.store(workspace)
    await journeys.store_draft(world.engage, compile_journey(workspace, "main"))
    assert await world.engage.fetchval("select count(*) from audience_uses") == 1
    await life_cycle.delete(world.engage, "main", world.now)
    assert await world.engage.fetchval("select count(*) from audience_uses") == 0
