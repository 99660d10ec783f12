"""Retention: what has grown old goes, and never what somebody still needs."""

from datetime import timedelta

import pytest

from caravan.campaigns.forgetting import forget_page
from caravan.engage import sql
from caravan.platform import sync
from caravan.retention import BadRetention, Retention
from tests.world import World

JOURNEY = """
journey: j
audience: everyone
schedule: {end: 900 days}
reentry: {after: 1 day, from: end, limit: 2}
start: which
nodes:
  which:
    split: accounts
    paths:
      - {label: calm, when: {people: {when: {did_not: {event: form_filled}}}}, next: n}
    otherwise: n
  n: {do: [{update_account: {field: source_type, value: nurtured}}], end: x}
"""
SENDING = """
journey: mailing
audience: everyone
schedule: {end: 300 days}
start: one
nodes:
  one: {do: [{send_email: {template: hi}}], end: over}
"""
DAY = Retention(timedelta(days=1), timedelta(days=30), timedelta(days=90))
EVENTS = "".join(
    f'{{"id": "{kind}", "at": "2020-01-01T00:00:00Z", "type": "{kind}", "person_id": "p"}}\n'
    for kind in ("form_filled", "page_visited")
)
OUT_OF_USE = """
insert into activities (external_id, type, at, person_id)
select 'b', 'brochure_read', timestamptz '2020-01-01', id from people
"""


async def count(world: World, table: str) -> int:
    return int(await world.engage.fetchval(f"select count(*) from {table}"))


async def start(world: World) -> int:
    workspace = world.workspace(JOURNEY)
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,account_id\np,p@a.example,a\n",
        events=EVENTS,
    )
    journey_id = await world.publish(workspace, "j")
    for traversal in await world.enter(journey_id):
        await world.walk(traversal)
    return journey_id


async def forget(world: World) -> None:
    while await forget_page(world.engage, world.platform, world.munchkin, DAY, world.now):
        pass


async def test_change_goes_when_it_is_old_and_its_reader_has_it_behind_it(world: World) -> None:
    await start(world)
    world.pass_time(days=2)
    await forget(world)
    assert await count(world, "changes") > 0  # nobody has taken it up yet
    down = await world.platform.fetchval("select count(*) from changes")
    assert down > 0
    await world.follow()
    async with sync.up_flow(world.engage, world.platform, world.munchkin) as flow:
        while await flow.page(world.now):
            pass
    await world.follow()  # the Platform tells its own outbox what it took
    await forget(world)
    assert await count(world, "changes") == 0
    assert await world.platform.fetchval("select count(*) from changes") == 0
    await world.load(world.workspace(JOURNEY), accounts="account_id,name\na,Acme 2\n")
    await forget(world)
    await world.follow()
    assert (await world.engage.fetchval("select attributes ->> 'name' from accounts")) == "Acme 2"


async def test_change_of_an_old_word_is_kept_as_long_as_any_other(world: World) -> None:
    """A restored store reads again what was written since its backup, whenever that was said."""
    rows = "account_id,name,as_of\na,Acme,2019-01-01\nb,Bolt,\n"
    await world.load(world.workspace(JOURNEY), accounts=rows)
    await world.follow()
    kept = "select count(*) from changes"
    world.pass_time(hours=23)
    await forget(world)
    assert await world.platform.fetchval(kept) == 2
    world.pass_time(hours=2)
    await forget(world)
    assert await world.platform.fetchval(kept) == 0


async def test_steps_stay_while_a_version_runs_and_entries_for_ever(world: World) -> None:
    journey_id = await start(world)
    world.pass_time(days=60)
    before = await count(world, "steps")
    await forget(world)
    assert await count(world, "steps") == before > 0
    await world.engage.execute("update journeys set state = 'finished' where id = $1", journey_id)
    await forget(world)
    assert await count(world, "steps") == 0
    assert await world.engage.fetchval("select count from entries") == 1
    assert await count(world, "traversals") == 1


async def test_event_that_something_stored_may_ask_about_is_kept(world: World) -> None:
    await start(world)
    await world.follow()
    for store in (world.engage, world.platform):
        await store.execute(OUT_OF_USE)
    await forget(world)
    for store in (world.engage, world.platform):
        rows = await store.fetch(
            "select type from activities where external_id is not null order by type"
        )
        # the journey asks for the one, and what engagement counts by itself for the other
        assert [row["type"] for row in rows] == ["form_filled", "page_visited"]


async def test_report_of_emails_is_the_same_when_events_have_grown_old(world: World) -> None:
    workspace = world.workspace(SENDING, ("hi",))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,account_id\np,p@a.example,a\nq,q@a.example,a\n",
    )
    (traversal,) = await world.enter(await world.publish(workspace, "mailing"))
    await world.walk(traversal)
    await world.happen("email_opened", person="p", template="hi")
    await world.happen("email_bounced", person="q", template="hi")
    asked = {"slugs": None, "from": None, "to": None}
    before = await sql.fetch(world.engage, "report_emails", **asked)
    assert [(row["delivered"], row["opened"], row["bounced"]) for row in before] == [(1, 1, 1)]
    world.pass_time(days=100)
    await forget(world)
    assert await sql.fetch(world.engage, "report_emails", **asked) == before


@pytest.mark.parametrize("written", ["", "7", "0 days", "soon", "-1 days", "7 hours"])
def test_setting_that_is_no_span_of_days_is_refused_by_name(written: str) -> None:
    with pytest.raises(BadRetention, match="RETAIN_OUTBOX"):
        Retention.of(written, "forever", "forever")


def test_settings_have_least_spans() -> None:
    assert Retention.of("7 days", "400 days", "forever") == Retention()
    with pytest.raises(BadRetention, match="RETAIN_EVENTS is wrong: 90 days at least"):
        Retention.of("7 days", "400 days", "10 days")


async def test_calls_of_models_and_answers_go_when_they_are_old(world: World) -> None:
    await world.engage.execute("""
        insert into ai_calls (feature, model, digest, at, open_until, outcome)
        select 'email', 'm', 'd', at, at, 'answered' from (values (now() - interval '40 days'), (now())) v (at)""")
    await world.engage.execute(
        "insert into ai_days (day) values (current_date - 40), (current_date)"
    )
    await world.engage.execute("""
        insert into ai_answers (digest, feature, answer, call_id, kept_at, expires_at)
        values ('old', 'email', '{}', 1, now(), now() - interval '1 second'), ('good', 'email', '{}', 1, now(), now() + interval '1 day'),
               ('for ever', 'email', '{}', 1, now(), null)""")
    retention = Retention(ai_calls=timedelta(days=30))
    await forget_page(world.engage, world.platform, world.munchkin, retention, world.now)
    assert await count(world, "ai_calls") == await count(world, "ai_days") == 1
    left = await world.engage.fetch("select digest from ai_answers order by digest")
    assert [row["digest"] for row in left] == ["for ever", "good"]


async def test_calls_of_models_stay_where_that_is_set(world: World) -> None:
    await world.engage.execute("""
        insert into ai_calls (feature, model, digest, at, open_until, outcome)
        values ('email', 'm', 'd', now() - interval '4000 days', now(), 'answered')""")
    retention = Retention.of("7 days", "400 days", "forever", "forever", "forever")
    await forget_page(world.engage, world.platform, world.munchkin, retention, world.now)
    assert await count(world, "ai_calls") == 1
