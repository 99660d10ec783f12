"""Reports of e-mails and of journeys, against ledgers and traversals whose past is known."""

from datetime import timedelta

from caravan.journeys.plan import Plan
from caravan.reports.emails import EmailRow, emails, together
from caravan.reports.journey import JourneyReport, journey
from caravan.reports.page import page
from starter.session import plan_of
from tests.world import World

TRIP = """
journey: trip
audience: everyone
schedule: {start: now, end: 30 days}
exits:
  - {label: met, goal: true, when: {did: {event: form_filled}}}
start: hello
nodes:
  hello:
    do: [{send_email: {template: hi}}]
    next: spread
  spread:
    variants: accounts
    paths:
      - {label: short, share: 50, next: brief}
      - {label: long, share: 50, next: pause}
  brief:
    wait: 1 day
    next: again
  pause:
    wait: 10 days
    next: again
  again:
    do: [{send_email: {template: hi}}]
    end: done
"""

ACCOUNTS = "account_id,name\n" + "".join(f"a{n},A{n}\n" for n in range(8))
PEOPLE = "person_id,email\n" + "".join(f"p{n},p{n}@x.example\n" for n in range(8))
RELATIONS = "account_id,person_id\n" + "".join(f"a{n},p{n}\n" for n in range(8))


async def started(world: World) -> list[int]:
    workspace = world.workspace(TRIP, ("hi",))
    await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE, relations=RELATIONS)
    traversals = await world.enter(await world.publish(workspace, "trip"))
    for traversal in traversals:
        await world.walk(traversal)
    return traversals


async def mails(world: World, **of: object) -> dict[str, EmailRow]:
    async with world.engage.acquire() as conn:
        return {row.email: row for row in await emails(conn, **of)}  # type: ignore[arg-type]


async def reported(world: World, success: str | None = None) -> JourneyReport:
    rows = await world.engage.fetch("select id, plan_hash from journeys where slug = 'trip'")
    plan: Plan = await plan_of(world.engage, rows[-1])
    async with world.engage.acquire() as conn:
        return await journey(conn, "trip", [row["id"] for row in rows], plan, success)


async def test_what_people_did_is_of_the_last_message_they_had(world: World) -> None:
    traversals = await started(world)
    world.pass_time(hours=1)
    await world.happen("email_opened", "p0", template="hi")
    await world.happen("email_opened", "p0", template="hi")  # once is enough
    await world.happen("email_clicked", "p1", template="hi")  # who clicks has opened
    await world.happen("email_opened", "p2", template="other")
    world.pass_time(days=1)
    for traversal in traversals:
        await world.walk(traversal)
    world.pass_time(hours=1)
    await world.happen("email_opened", "p0", template="hi")
    hi = (await mails(world))["hi"].counts
    again = hi.sent - 8
    assert again > 0
    # p0's second message, if theirs has come, is another message that was opened
    second = await world.engage.fetchval(
        "select count(*) from ledger where state = 'accepted' and node = 'again'"
        " and person_id = (select id from people where external_id = 'p0')"
    )
    assert (hi.opened, hi.clicked, hi.delivered) == (2 + second, 1, hi.sent)
    assert hi.rates["click_to_open_rate"] == hi.clicked / hi.opened


async def test_a_message_that_is_named_counts_whatever_came_later(world: World) -> None:
    await started(world)
    named = await world.engage.fetchval(
        "select message_id from ledger l join people p on p.id = l.person_id where p.external_id = 'p3'"
    )
    world.pass_time(hours=1)
    await world.happen("email_clicked", "p3", template="hi", message=named)
    await world.happen("email_clicked", "p4", template="hi", message="<another@x>")
    assert (await mails(world))["hi"].counts.clicked == 1


async def test_machines_bounces_and_unsubscriptions(world: World) -> None:
    await started(world)
    world.pass_time(minutes=1)
    await world.happen("email_clicked", "p0", template="hi", bot=True)
    await world.happen("email_bounced", "p1", template="hi", soft=True)
    await world.happen("email_bounced", "p2", template="hi")
    await world.happen("email_unsubscribed", "p3", template="hi")
    hi = (await mails(world))["hi"].counts
    assert (hi.opened, hi.clicked, hi.by_machine) == (0, 0, 1)
    assert (hi.bounced, hi.bounced_hard, hi.delivered, hi.unsubscribed) == (2, 1, 6, 1)
    assert hi.rates["bounce_rate"] == 2 / 8
    assert hi.rates["unsubscribe_rate"] == 1 / 6


async def test_period_and_journey_choose_the_messages(world: World) -> None:
    await started(world)
    assert await mails(world, journeys=["another"]) == {}
    assert await mails(world, start=world.now + timedelta(seconds=1)) == {}
    told = await mails(world, journeys=["trip"], end=world.now + timedelta(seconds=1))
    assert together(told.values()).sent == 8
    assert together([]).rates["open_rate"] is None


async def test_journey_tells_outcomes_and_durations(world: World) -> None:
    traversals = await started(world)
    world.pass_time(hours=6)
    await world.happen("form_filled", "p0")
    world.pass_time(days=2)
    for traversal in traversals:
        await world.walk(traversal)
    told = await reported(world)
    ended = {(row.reason, row.label): row for row in told.outcomes}
    assert ended["exit", "met"].accounts == 1
    assert ended["exit", "met"].goal
    assert told.entered == 8
    assert told.completed == 1 + ended["completed", "done"].accounts
    assert told.inside == 8 - told.completed
    assert told.completion_rate == told.completed / 8
    assert (told.engaged_accounts, told.engaged_people) == (1, 1)
    assert sum(entered for _, entered, _ in told.days) == 8
    assert sum(completed for _, _, completed in told.days) == told.completed
    assert told.mean_seconds is not None


async def test_variants_are_counted_by_what_came_of_them(world: World) -> None:
    traversals = await started(world)
    world.pass_time(hours=1)
    taken = dict(
        await world.engage.fetch(
            "select p.external_id, s.outcome ->> 'edge' from steps s join traversals t on t.id = s.traversal_id"
            " join relations r on r.account_id = t.account_id join people p on p.id = r.person_id"
            " where s.node = 'spread'"
        )
    )
    short = [person for person, edge in taken.items() if edge == "1"]
    for person in short[:2]:
        await world.happen("form_filled", person)
    for traversal in traversals:
        await world.walk(traversal)
    (node,) = (await reported(world)).variants
    assert [path.label for path in node.paths] == ["short", "long"]
    assert node.paths[0].arm.number == len(short)
    assert node.paths[1].arm.number == 8 - len(short)
    assert [path.arm.successes for path in node.paths] == [min(2, len(short)), 0]
    assert node.success == "goal"
    (by_label,) = (await reported(world, "done")).variants
    assert sum(path.arm.successes for path in by_label.paths) == 0
    (engaged,) = (await reported(world, "engaged")).variants
    assert engaged.paths[0].arm.successes == min(2, len(short))


async def test_page_shows_what_the_report_tells_and_data_is_escaped(world: World) -> None:
    await started(world)
    told = page("A <b>trip</b>", "trip", await reported(world), duration="")
    assert "<b>trip" not in told
    assert "A &lt;b&gt;trip&lt;/b&gt;" in told
    assert "<script" not in told
    assert "http" not in told.replace("http-equiv", "")
    assert "8 (100.0 %)" in told
