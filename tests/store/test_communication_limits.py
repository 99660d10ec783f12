"""Communication limits: who has had enough gets no more, whoever sends, and what is not sent is not counted."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caravan.campaigns import mail_claims, planning, stretch
from caravan.delivery.transport import (
    Accepted,
    BeforeContent,
    Deferred,
    InDoubt,
    Outgoing,
    Refused,
    Verdict,
)
from caravan.engage import communication_limits, sql
from caravan.journeys.workspace import Workspace
from tests.locks import waits_for
from tests.world import World

JOURNEY = """
journey: {name}
audience: everyone
schedule: {{end: 300 days}}
start: mail
nodes:
  mail: {{do: [{{send_email: {{template: {template}}}}}], end: sent}}
"""
LIMITS = "communication_limits: default\nzone: {zone}\nlimits: [{limits}]\n"
OPERATIONAL = """---
email: bill
subject: Your bill
operational: true
---
<html><body><p>bill for {{ account.name }}</p></body></html>
"""
ODD = """---
email: odd
subject: "{% if person.phone %}{{ 100 | divided_by: person.phone }}{% endif %}x"
---
<p>odd</p>
"""
#: a Monday, 13:00 in Stockholm
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def documents(limit: str, journeys: int = 2, *, zone: str = "Europe/Stockholm") -> str:
    return "---\n".join(
        [
            LIMITS.format(zone=zone, limits=limit),
            *(JOURNEY.format(name=f"j{number}", template="hi") for number in range(journeys)),
        ]
    )


def written(world: World, text: str) -> Workspace:
    if "bill" in text:
        world.write("emails/bill.html", OPERATIONAL)
    return world.workspace(text, ("hi",))


async def start(world: World, text: str, **data: str) -> dict[tuple[str, str], int]:
    """Publish all journeys, let everybody in; the traversals by journey and account."""
    if world.now > MONDAY:
        world.now = MONDAY
    workspace = written(world, text)
    data = {
        "accounts": "account_id,name\na,Acme\n",
        "people": "person_id,email,account_id\n"
        + "".join(f"p{n},p{n}@x.example,a\n" for n in range(3)),
        **data,
    }
    await world.load(workspace, **data)
    for slug in workspace.journeys:
        await world.enter(await world.publish(workspace, slug))
    rows = await world.engage.fetch(
        "select t.id, t.slug, a.external_id from traversals t join accounts a on a.id = t.account_id"
        " order by t.id"
    )
    return {(row["slug"], row["external_id"]): row["id"] for row in rows}


async def outcomes(world: World, traversal: int) -> dict[str, str]:
    rows = await world.engage.fetch(
        "select p.external_id, coalesce(l.reason, l.state) as outcome from ledger l"
        " join people p on p.id = l.person_id where l.traversal_id = $1 order by 1",
        traversal,
    )
    return {row["external_id"]: row["outcome"] for row in rows}


async def used(world: World) -> list[int]:
    rows = await world.engage.fetch(
        "select used from limit_counts c join limit_rules r on r.id = c.rule_id left join people p"
        " on p.id = c.subject_id and r.per = 'person' order by rule_id, p.external_id, subject_id, period"
    )
    return [row["used"] for row in rows]


async def slots(world: World) -> int:
    return int(await world.engage.fetchval("select count(*) from limit_slots"))


async def claim(world: World, traversal: int, claimant: str = "try 1") -> Any:
    state = await world.state(traversal)
    return await mail_claims.claim(
        world.engage,
        world.plans,
        world.mailing,
        traversal,
        state.step_no,
        claimant,
        world.now,
        go_on=True,
    )


class Answering:
    """A transport that says what it is told to, by recipient."""

    def __init__(self, **verdicts: Verdict) -> None:
        self.verdicts = verdicts

    def session(self) -> "Answering":
        return self

    async def __aenter__(self) -> "Answering":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def send(self, message: Outgoing, before_content: BeforeContent) -> Verdict:
        await before_content()
        return self.verdicts.get(message.recipient.partition("@")[0], Accepted("250"))


async def test_person_is_mailed_so_often_in_a_week_whatever_journey_asks(world: World) -> None:
    ways = await start(
        world, documents("{per: person, at_most: 2, every: 1 week, channel: email}", journeys=4)
    )
    for number in range(3):
        await world.walk(ways[f"j{number}", "a"])
        world.pass_time(days=2)
    assert await outcomes(world, ways["j1", "a"]) == dict.fromkeys(("p0", "p1", "p2"), "accepted")
    assert await outcomes(world, ways["j2", "a"]) == dict.fromkeys(
        ("p0", "p1", "p2"), "limit-person"
    )
    world.now = datetime(2026, 3, 8, 23, tzinfo=UTC)  # Monday 00:00 in Stockholm
    await world.walk(ways["j3", "a"])
    assert await outcomes(world, ways["j3", "a"]) == dict.fromkeys(("p0", "p1", "p2"), "accepted")


async def test_account_has_room_for_the_first_by_the_ids_of_its_team(world: World) -> None:
    people = "person_id,email,account_id\n" + "".join(
        f"p{n},p{n}@x.example,a\n" for n in (2, 0, 3, 1)
    )
    ways = await start(world, documents("{per: account, at_most: 3, every: 1 day}"), people=people)
    await world.walk(ways["j0", "a"])
    assert await outcomes(world, ways["j0", "a"]) == {
        "p0": "accepted",
        "p1": "accepted",
        "p2": "accepted",
        "p3": "limit-account",
    }
    await world.walk(ways["j1", "a"])
    assert set((await outcomes(world, ways["j1", "a"])).values()) == {"limit-account"}
    assert await used(world) == [3]


async def test_message_takes_of_every_rule_or_of_none(world: World) -> None:
    ways = await start(
        world,
        documents(
            "{per: person, at_most: 1, every: 1 month}, {per: account, at_most: 5, every: 1 day}"
        ),
    )
    await world.walk(ways["j0", "a"])
    world.pass_time(days=1)
    await world.walk(ways["j1", "a"])
    # the people have had their one of the month, so nothing counts on the account's new day
    assert await outcomes(world, ways["j1", "a"]) == dict.fromkeys(
        ("p0", "p1", "p2"), "limit-person"
    )
    assert sorted(await used(world)) == [0, 1, 1, 1, 3]


GROUPS = """---
roles_template: team
roles: [{role: chief, required: true, when: {person: {job_title: Chief}}}]
---
solution_interest: grid
roles_template: team
---
solution_interest: heat
roles_template: team
"""


async def test_buying_groups_count_for_their_members_and_each_must_have_room(world: World) -> None:
    ways = await start(
        world,
        documents("{per: buying_group, at_most: 2, every: 1 day}") + GROUPS,
    )
    account = await world.engage.fetchval("select id from accounts")
    members = {"grid": ("p0", "p1"), "heat": ("p1", "p2")}
    for interest, people in members.items():
        group = await world.engage.fetchval(
            "insert into buying_groups (account_id, solution_interest, template_id, created_at)"
            " select $1, $2, id, now() from roles_templates returning id",
            account,
            interest,
        )
        await world.engage.execute(
            "insert into buying_group_members (group_id, person_id, role, source, added_at)"
            " select $1, id, 'chief', 'manual', now() from people where external_id = any($2)",
            group,
            people,
        )
    # one of the other group's was taken out: they do not count for it any more
    await world.engage.execute(
        "update buying_group_members set removed_at = now() where person_id ="
        " (select id from people where external_id = 'p2')"
    )
    await world.walk(ways["j0", "a"])
    assert set((await outcomes(world, ways["j0", "a"])).values()) == {"accepted"}
    assert await used(world) == [2, 1]
    await world.walk(ways["j1", "a"])
    assert await outcomes(world, ways["j1", "a"]) == {
        "p0": "limit-buying-group",
        "p1": "limit-buying-group",  # heat has room, grid has not
        "p2": "accepted",
    }
    assert await used(world) == [2, 1]


async def test_operational_mail_neither_minds_nor_counts(world: World) -> None:
    text = "---\n".join(
        [
            documents("{per: person, at_most: 1, every: 1 day}", journeys=1),
            JOURNEY.format(name="bills", template="bill"),
            JOURNEY.format(name="more-bills", template="bill"),
        ]
    )
    ways = await start(world, text)
    for slug in ("bills", "j0", "more-bills"):
        await world.walk(ways[slug, "a"])
        assert set((await outcomes(world, ways[slug, "a"])).values()) == {"accepted"}
    assert await used(world) == [1, 1, 1]


async def test_what_is_refused_is_given_back_and_what_is_in_doubt_or_put_off_is_not(
    world: World,
) -> None:
    ways = await start(world, documents("{per: person, at_most: 1, every: 1 week}"))
    world.transport = Answering(  # type: ignore[assignment]
        p0=Refused(550, "no"), p1=InDoubt("silence"), p2=Deferred(450, "later")
    )
    await world.walk(ways["j0", "a"])
    assert list((await outcomes(world, ways["j0", "a"])).values()) == [
        "refused",
        "in_doubt",
        "deferred",
    ]
    assert await used(world) == [0, 1, 1]
    # a late word for the one in doubt, twice: given back once
    for _ in range(2):
        await world.engage.execute("update ledger set state = 'refused' where state = 'in_doubt'")
        await world.engage.execute("update ledger set state = 'refused' where state = 'refused'")
    assert await used(world) == [0, 0, 1]
    world.transport = Answering()  # type: ignore[assignment]
    await world.walk(ways["j1", "a"])
    assert list((await outcomes(world, ways["j1", "a"])).values()) == [
        "accepted",
        "accepted",
        "limit-person",
    ]
    assert await slots(world) == 1  # of what was put off: it may still be dropped


async def test_try_after_one_that_died_takes_nothing_twice(world: World) -> None:
    ways = await start(
        world,
        documents(
            "{per: person, at_most: 1, every: 1 day}, {per: account, at_most: 3, every: 1 day}"
        ),
    )
    for claimant in ("try 1", "try 2", "try 3"):
        claimed = await claim(world, ways["j0", "a"], claimant)
        assert len(claimed.messages) == 3
        assert await used(world) == [3, 1, 1, 1]
    await world.walk(ways["j0", "a"])
    assert set((await outcomes(world, ways["j0", "a"])).values()) == {"accepted"}
    # nor a try after one that was half through: what has gone is not claimed again
    assert await slots(world) == 0
    assert await used(world) == [3, 1, 1, 1]


async def test_try_after_one_that_sent_a_part_counts_that_part_once(world: World) -> None:
    ways = await start(world, documents("{per: account, at_most: 9, every: 1 day}"))
    await claim(world, ways["j0", "a"])
    await world.engage.execute(
        "update ledger set state = 'accepted' where person_id = (select min(id) from people)"
    )
    await world.engage.execute(
        "update ledger set state = 'handed_over' where person_id = (select max(id) from people)"
    )
    claimed = await claim(world, ways["j0", "a"], "another try")
    assert len(claimed.messages) == 1
    assert await used(world) == [3]


async def test_slot_moves_to_the_period_in_which_the_message_goes(world: World) -> None:
    ways = await start(world, documents("{per: person, at_most: 1, every: 1 day}"))
    await claim(world, ways["j0", "a"])
    world.pass_time(days=1)
    await world.walk(ways["j0", "a"])
    rows = await world.engage.fetch("select period, used from limit_counts order by period")
    assert [row["used"] for row in rows] == [0, 0, 0, 1, 1, 1]
    await world.walk(ways["j1", "a"])
    assert set((await outcomes(world, ways["j1", "a"])).values()) == {"limit-person"}


async def test_consent_withdrawn_between_two_tries_gives_back(world: World) -> None:
    ways = await start(world, documents("{per: person, at_most: 1, every: 1 day}"))
    await claim(world, ways["j0", "a"])
    await world.engage.execute(
        "update people set attributes = attributes || '{\"unsubscribed\": true}' where external_id = 'p1'"
    )
    await world.walk(ways["j0", "a"])
    assert (await outcomes(world, ways["j0", "a"]))["p1"] == "unsubscribed"
    assert await used(world) == [1, 0, 1]


async def test_mail_that_cannot_be_written_counts_for_nobody(world: World) -> None:
    world.write("emails/odd.html", ODD)
    text = documents("{per: person, at_most: 1, every: 1 day}", journeys=1)
    ways = await start(world, text + "---" + JOURNEY.format(name="odd", template="odd"))
    await world.engage.execute(
        "update people set attributes = attributes || '{\"phone\": \"0\"}' where external_id = 'p1'"
    )
    await world.walk(ways["odd", "a"])
    assert (await outcomes(world, ways["odd", "a"]))["p1"] == "bad-value"
    assert await used(world) == [1, 0, 1]


async def test_abort_gives_back_what_was_not_handed_over(world: World) -> None:
    ways = await start(world, documents("{per: account, at_most: 3, every: 1 day}"))
    await claim(world, ways["j0", "a"])
    await world.engage.execute(
        "update ledger set state = 'handed_over' where person_id = (select max(id) from people)"
    )
    assert await used(world) == [3]
    for _ in range(2):
        await sql.fetch(
            world.engage,
            "close_traversals",
            traversal_ids=[ways["j0", "a"]],
            reason="aborted",
            at=world.now,
        )
        assert await used(world) == [1]
    await world.walk(ways["j1", "a"])
    assert list((await outcomes(world, ways["j1", "a"])).values()) == [
        "accepted",
        "accepted",
        "limit-account",
    ]


async def test_limit_is_counted_on_the_calendar_of_its_zone(world: World) -> None:
    world.now = datetime(2026, 3, 2, 14, 59, tzinfo=UTC)  # 23:59 in Tokyo
    ways = await start(
        world, documents("{per: person, at_most: 1, every: 1 day}", zone="Asia/Tokyo")
    )
    world.now = datetime(2026, 3, 2, 14, 59, tzinfo=UTC)
    await world.walk(ways["j0", "a"])
    world.pass_time(minutes=1)
    await world.walk(ways["j1", "a"])
    assert set((await outcomes(world, ways["j1", "a"])).values()) == {"accepted"}


async def test_documents_hold_together_and_end_with_their_leaving(world: World) -> None:
    one = documents("{per: person, at_most: 3, every: 1 day}", journeys=5)
    other = LIMITS.format(zone="UTC", limits="{per: person, at_most: 1, every: 1 day}").replace(
        "default", "strict"
    )
    ways = await start(world, f"{one}---\n{other}")
    await world.walk(ways["j0", "a"])
    await world.walk(ways["j1", "a"])
    assert set((await outcomes(world, ways["j1", "a"])).values()) == {"limit-person"}
    await world.store(written(world, one))
    for number in (2, 3):
        await world.walk(ways[f"j{number}", "a"])
        assert set((await outcomes(world, ways[f"j{number}", "a"])).values()) == {"accepted"}
    without = one.partition("---\n")[2]
    await world.store(written(world, without))
    await world.walk(ways["j4", "a"])
    assert set((await outcomes(world, ways["j4", "a"])).values()) == {"accepted"}
    # back again, it goes on from where it was: three, of which one came before
    await world.store(written(world, one))
    assert max(await used(world)) == 3


async def test_counts_of_periods_that_are_over_are_forgotten(world: World) -> None:
    ways = await start(world, documents("{per: person, at_most: 3, every: 1 day}"))
    await world.walk(ways["j0", "a"])
    await communication_limits.forget_past(world.engage, world.now + timedelta(hours=30))
    assert len(await used(world)) == 3
    await communication_limits.forget_past(world.engage, world.now + timedelta(hours=40))
    assert await used(world) == []


async def test_plan_tells_what_becomes_of_limits(world: World) -> None:
    text = documents("{per: person, at_most: 3, every: 1 day}", journeys=1)
    await start(world, text)

    async def told(text: str) -> list[tuple[str, str, tuple[str, ...]]]:
        found = await planning.plan(world.engage, world.platform, written(world, text), world.now)
        return [(one.slug, one.change, one.words) for one in found.documents]

    assert await told(text) == []
    changed = text.replace("at_most: 3", "at_most: 2") + (
        "---\ncommunication_limits: nights\nquiet_hours: [{from: '20:00', to: '07:00'}]\n"
    )
    assert await told(changed) == [
        (
            "default",
            "changed",
            ("at most 2 messages per person every day (was 3)",),
        ),
        ("nights", "new", ()),
    ]
    assert await told(text.partition("---\n")[2]) == [
        ("default", "gone", ("nothing of it holds any more",)),
    ]


# Two people in two journeys each: who comes first takes, and nobody waits for who waits for them.

SHARED = {
    "accounts": "account_id,name\n" + "".join(f"a{n},Acme {n}\n" for n in range(50)),
    "people": "person_id,email\n" + "".join(f"s{n},s{n}@x.example\n" for n in range(6)),
    "relations": "account_id,person_id,roles\n"
    + "".join(f"a{account},s{person},\n" for account in range(50) for person in range(6)),
}
TWO_MAILS = """
journey: j0
audience: everyone
schedule: {end: 300 days}
start: mail
nodes:
  mail:
    split: people
    paths:
      - {label: low, when: {person: {email: {starts_with: [s4, s5]}}}, do: [{send_email: {template: hi}}]}
    otherwise: {do: [{send_email: {template: hi}}]}
    end: sent
"""


async def _arrived(world: World, ways: dict[Any, int]) -> None:
    for traversal in ways.values():
        await stretch.run(world.engage, world.plans, traversal, 1, world.now)


async def test_fifty_claims_at_once_oversell_nothing_and_wait_in_no_circle(world: World) -> None:
    """Of shared people in both orders: the actions of a step are in another order than the ids."""
    limit = "{per: person, at_most: 7, every: 1 day}, {per: account, at_most: 4, every: 1 day}"
    text = f"{LIMITS.format(zone='UTC', limits=limit)}---\n{TWO_MAILS}"
    reverse = TWO_MAILS.replace("j0", "j1").replace("[s4, s5]", "[s0, s1]")
    ways = await start(world, f"{text}---\n{reverse}", **SHARED)
    await _arrived(world, ways)
    before = await _deadlocks(world)
    some = [ways["j0" if number % 2 else "j1", f"a{number}"] for number in range(50)]
    await asyncio.gather(*(world.send(one) for one in some))
    assert await _deadlocks(world) == before
    got = Counter(recipient for _, recipient in world.mailed())
    # 6 people with 7 each: the accounts' 4 leave enough for all of it
    assert got == {f"s{n}@x.example": 7 for n in range(6)}
    by_account = await world.engage.fetch(
        "select count(*) filter (where state = 'accepted') as sent from ledger group by traversal_id"
    )
    assert max(row["sent"] for row in by_account) <= 4
    assert await slots(world) == 0


async def _deadlocks(world: World) -> int:
    await world.engage.execute("select pg_stat_force_next_flush()")
    return int(
        await world.engage.fetchval(
            "select deadlocks from pg_stat_database where datname = current_database()"
        )
    )


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_whatever_becomes_of_messages_the_counts_are_of_those_not_given_back(
    world: World, data: st.DataObject
) -> None:
    """Claims, tries again, verdicts, ends and withdrawals, in any order: never too many, and none is lost."""
    await _emptied(world)
    ways = await start(
        world,
        documents(
            "{per: person, at_most: 2, every: 1 day}, {per: account, at_most: 5, every: 2 days}",
            journeys=4,
        ),
    )
    traversals = sorted(ways.values())
    for _ in range(data.draw(st.integers(3, 14))):
        await _something(world, data, data.draw(st.sampled_from(traversals)))
        await _nothing_is_oversold_or_lost(world)


async def _emptied(world: World) -> None:
    """As fresh as before the last example."""
    await world.engage.execute(
        "truncate limit_counts, limit_slots, ledger, participants, steps, traversals, entries, wakeups,"
        " admissions, campaigns, journeys cascade"
    )
    await world.engage.execute("update people set attributes = attributes - 'unsubscribed'")
    world.now = MONDAY


async def _something(world: World, data: st.DataObject, traversal: int) -> None:
    match data.draw(st.sampled_from(("claim", "verdict", "abort", "consent", "time", "send"))):
        case "claim":
            await claim(world, traversal, f"try {data.draw(st.integers(1, 3))}")
        case "send":
            await world.send(traversal, "a whole try", go_on=True)
        case "verdict":
            state = data.draw(
                st.sampled_from(("accepted", "refused", "in_doubt", "skipped", "deferred"))
            )
            await world.engage.execute(
                "update ledger set state = $2, until = $3 where (traversal_id, person_id) ="
                " (select traversal_id, person_id from ledger where traversal_id = $1"
                "  and state in ('claimed', 'in_doubt', 'deferred') order by person_id limit 1)",
                traversal,
                state,
                world.now,
            )
        case "abort":
            await sql.fetch(
                world.engage,
                "close_traversals",
                traversal_ids=[traversal],
                reason="aborted",
                at=world.now,
            )
        case "consent":
            await world.engage.execute(
                "update people set attributes = attributes || jsonb_build_object('unsubscribed', $1::boolean)"
                " where external_id = 'p1'",
                data.draw(st.booleans()),
            )
        case "time":
            world.pass_time(hours=data.draw(st.sampled_from((6, 24))))


async def _nothing_is_oversold_or_lost(world: World) -> None:
    rows = await world.engage.fetch(
        "select r.per, c.used, count(s.*) as held from limit_counts c join limit_rules r on r.id = c.rule_id"
        " left join limit_slots s on (s.rule_id, s.subject_id, s.period) = (c.rule_id, c.subject_id, c.period)"
        " group by r.per, c.rule_id, c.subject_id, c.period, c.used"
    )
    for row in rows:
        assert row["held"] <= row["used"] <= {"person": 2, "account": 5}[row["per"]]
    # each message that may have gone, or still may, is counted once for its person and once for the account
    for per in ("person", "account"):
        assert sum(row["used"] for row in rows if row["per"] == per) == await world.engage.fetchval(
            "select count(*) from ledger where state in ('claimed', 'accepted', 'in_doubt', 'deferred')"
        )
    # and what holds nothing has no slot left
    assert not await world.engage.fetch(
        "select from limit_slots s join ledger l using (message_id)"
        " where l.state in ('skipped', 'refused', 'accepted')"
    )


async def test_giving_up_waits_for_accounts_before_it_locks_a_count(world: World) -> None:
    """Counts are behind every other lock: whoever has an account and wants a count must find it free."""
    ways = await start(
        world,
        documents("{per: person, at_most: 1, every: 1 day}", journeys=1),
        accounts="account_id,name\na,Acme\nb,Bolt\n",
        people="person_id,email,account_id\np0,p0@x.example,a\np1,p1@x.example,a\n",
        relations="account_id,person_id\nb,p0\n",
    )
    traversal = ways["j0", "a"]
    claimed = await claim(world, traversal)
    await world.engage.execute(
        "update ledger set state = 'accepted' where message_id = $1",
        claimed.messages[0].outgoing.message_id,
    )
    assert await slots(world) == 1  # of the one that has not left
    world.now += timedelta(days=400)
    async with world.engage.acquire() as other, other.transaction():
        await other.execute("set local lock_timeout = '3s'")
        await other.execute("select from accounts where external_id = 'b' for update")
        giving_up = asyncio.create_task(claim(world, traversal, "try 2"))
        await waits_for(other, giving_up)
        await other.execute("select from limit_counts for update")
    gave_up = await giving_up
    assert gave_up.ended.reason == "end-date"
    assert await slots(world) == 0
