"""Text messages: who gets one, what the ledger says of each phase, and that none leaves twice."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caravan.campaigns import delivery_queue, mail_claims, stretch
from caravan.campaigns.mail_claims import Claimed
from caravan.campaigns.mail_hand_over import hand_over
from caravan.delivery.errors import RelayUnreachable
from caravan.engage import suppressions
from tests.pairs import Pairs
from tests.provider import DROP, HANG, Provider
from tests.world import World

JOURNEY = """
journey: main
audience: everyone
schedule: {end: 90 days}
start: text
nodes:
  text:
    do: [ACTIONS]
    end: over
"""
TEXT = "send_sms: {text: 'Hello {{ person.first_name }}'}"
PEOPLE = """person_id,email,first_name,mobile_phone,sms_consent,account_id
p,p@a.example,Pia,+46 70-123 45 67,true,a
q,q@a.example,Quy,0046701234568,true,a
"""


@pytest.fixture
async def provider(world: World) -> AsyncIterator[Provider]:
    new = Provider()
    await new.start()
    transport = new.transport()
    world.texts = transport
    yield new
    await transport.close()
    await new.stop()
    assert new.wrong == []


async def begin(world: World, *actions: str, people: str = PEOPLE) -> int:
    text = JOURNEY.replace("ACTIONS", ", ".join(f"{{{one}}}" for one in actions or (TEXT,)))
    workspace = world.workspace(text, ("hi",))
    await world.load(workspace, accounts="account_id,name\na,Acme\n", people=people)
    [traversal] = await world.enter(await world.publish(workspace, "main"))
    return traversal


async def outcomes(world: World) -> dict[str, str]:
    """What became of each person's text, by their outside id."""
    rows = await world.engage.fetch(
        "select q.external_id, coalesce(l.reason, l.state) as outcome from ledger l"
        " join people q on q.id = l.person_id where l.action = 'send_sms'"
    )
    return {row["external_id"]: row["outcome"] for row in rows}


async def test_text_is_taken_once_and_counted(world: World, provider: Provider) -> None:
    traversal = await begin(world)
    assert (await world.walk(traversal)).ended is not None
    assert provider.texts == [("+46701234567", "Hello Pia"), ("+46701234568", "Hello Quy")]
    rows = [row for row in await world.ledger() if row["action"] == "send_sms"]
    assert [(row["state"], row["segments"], row["reply"]) for row in rows] == [
        ("accepted", 1, f"{provider.sid(1)} queued"),
        ("accepted", 1, f"{provider.sid(2)} queued"),
    ]
    sent = await world.engage.fetch("select type, fields from activities order by id")
    assert [(row["type"], row["fields"]) for row in sent] == [
        ("sms_sent", {"journey": "main", "node": "text", "message": message_id})
        for message_id in [row["message_id"] for row in rows]
    ]
    # asked again it answers what was stored
    await world.send(traversal, "again")
    assert len(provider.texts) == 2


async def test_who_has_not_agreed_or_cannot_be_reached_is_left_out(
    world: World, provider: Provider
) -> None:
    people = (
        PEOPLE.splitlines()[0]
        + """
none,n@a.example,N,,true,a
home,h@a.example,H,070-123 45 67,true,a
silent,s@a.example,S,+46701234501,,a
no,x@a.example,X,+46701234502,false,a
stopped,t@a.example,T,+46 70 123 45 03,true,a
blocked,b@a.example,B,+46701234504,true,a
yes,y@a.example,Y,+46701234505,true,a
"""
    )
    traversal = await begin(world, people=people)
    for number, reason in (("+46701234503", "opt_out"), ("+46701234504", "blocked")):
        await suppressions.add(world.engage, [number], reason, source="test", at=world.now)
    await world.walk(traversal)
    assert await outcomes(world) == {
        "none": "no-address",
        "home": "invalid-address",
        "silent": "no-consent",
        "no": "no-consent",
        "stopped": "no-consent",
        "blocked": "blocked",
        "yes": "accepted",
    }
    assert [number for number, _ in provider.texts] == ["+46701234505"]


async def test_refusal_of_one_does_not_hold_up_the_others(world: World, provider: Provider) -> None:
    provider.when((400, 21610), about="4567")
    traversal = await begin(world)
    assert (await world.walk(traversal)).ended is not None
    assert await outcomes(world) == {"p": "refused", "q": "accepted"}
    # the provider knows of a STOP that we have not heard: the number has opted out from now on
    rows = await world.engage.fetch("select subject, reason from suppressions")
    assert [tuple(row) for row in rows] == [("+46701234567", "opt_out")]


@pytest.mark.parametrize("code", [21211, 21614])
async def test_number_that_is_none_is_not_tried_again(
    world: World, provider: Provider, code: int
) -> None:
    provider.when((400, code), about="4567")
    await world.walk(await begin(world))
    rows = await world.engage.fetch("select subject, reason, source from suppressions")
    assert [tuple(row) for row in rows] == [("+46701234567", "hard_bounce", f"sms:{code}")]


@pytest.mark.parametrize("later", [(429, 20429), (503, None)])
async def test_account_waits_for_a_provider_that_takes_nothing_now(
    world: World, provider: Provider, later: tuple[int, int | None]
) -> None:
    provider.when(later, about="4568")
    traversal = await begin(world)
    with pytest.raises(RelayUnreachable):
        await world.walk(traversal)
    assert await outcomes(world) == {"p": "accepted", "q": "claimed"}
    assert (await world.walk(traversal)).ended is not None
    assert await outcomes(world) == {"p": "accepted", "q": "accepted"}
    assert [number for number, _ in provider.texts] == ["+46701234567", "+46701234568"]


@pytest.mark.parametrize("fault", [DROP, HANG, (502, None)])
async def test_doubt_is_said_and_not_sent_again(
    world: World, provider: Provider, fault: str | tuple[int, int | None]
) -> None:
    provider.when(fault, about="4567")
    traversal = await begin(world)
    assert (await world.walk(traversal)).ended is not None
    await world.send(traversal, "again")
    assert await outcomes(world) == {"p": "in_doubt", "q": "accepted"}
    assert provider.requests == 2
    assert await world.engage.fetchval("select count(*) from activities") == 1


async def test_try_that_dies_with_a_text_in_hand_leaves_doubt(
    world: World, provider: Provider
) -> None:
    traversal = await begin(world)
    await stretch.run(world.engage, world.plans, traversal, 1, world.now)
    claimed = await mail_claims.claim(
        world.engage, world.plans, world.mailing, traversal, 2, "dies", world.now
    )
    assert isinstance(claimed, Claimed)

    class Dies(BaseException):
        pass

    async def dies_behind_the_word(_message: object, before: object) -> None:
        await before()  # type: ignore[operator]
        raise Dies

    session = type("Session", (), {"send": staticmethod(dies_behind_the_word)})()
    with pytest.raises(Dies):
        await hand_over(
            world.engage, session, claimed.step, claimed.messages[0], "dies", lambda: world.now
        )
    assert (await world.send(traversal, "another")).outcomes
    assert await outcomes(world) == {"p": "in_doubt", "q": "accepted"}


async def test_without_a_provider_the_account_waits_and_the_operator_is_told(world: World) -> None:
    world.texts = None  # type: ignore[assignment]
    traversal = await begin(world)
    with pytest.raises(RelayUnreachable, match="SMS_URL"):
        await world.walk(traversal)
    assert set((await outcomes(world)).values()) == {"claimed"}


async def test_text_that_cannot_be_made_is_left_out(world: World, provider: Provider) -> None:
    people = PEOPLE.replace("Quy", "Q" * 1600)
    traversal = await begin(world, people=people)
    await world.walk(traversal)
    assert await outcomes(world) == {"p": "accepted", "q": "bad-value"}


async def test_messages_of_a_node_leave_in_the_order_of_its_actions(
    world: World, provider: Provider
) -> None:
    traversal = await begin(
        world,
        "send_email: {template: hi}",
        TEXT,
        "send_email: {template: hi}",
        "send_sms: {text: Bye}",
    )
    await world.walk(traversal)
    rows = await world.engage.fetch("select action, position, person_id, state from ledger")
    assert {row["state"] for row in rows} == {"accepted"}
    assert len(world.mailed()) == 4
    assert [text for _, text in provider.texts] == ["Hello Pia", "Hello Quy", "Bye", "Bye"]
    assert len({row["position"] for row in rows}) == 4


async def test_carrier_that_is_away_keeps_only_its_own(world: World, provider: Provider) -> None:
    traversal = await begin(world, TEXT, "send_email: {template: hi}")
    provider.when((503, None))
    with pytest.raises(RelayUnreachable, match="SMS_URL"):
        await world.walk(traversal)
    assert len(world.mailed()) == 2
    assert set((await outcomes(world)).values()) == {"claimed"}
    assert (await world.walk(traversal)).ended is not None
    assert len(world.mailed()) == len(provider.texts) == 2


ANSWERS = st.sampled_from(
    [DROP, HANG, "raw {}", (201, None), (400, 21614), (429, 20429), (500, None), (503, None)]
)


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(ANSWERS, st.sampled_from(["4567", "4568"])), max_size=6))
async def test_whatever_is_answered_no_text_is_taken_twice(
    pairs: Pairs, tmp_path_factory: pytest.TempPathFactory, faults: list[tuple[object, str]]
) -> None:
    pair = await pairs.take()
    world = World(tmp_path_factory.mktemp("ws"), pair)
    await world.open()
    provider = Provider()
    await provider.start()
    transport = provider.transport(answer_timeout=0.2)
    world.texts = transport
    try:
        for answer, about in faults:
            provider.when(answer, about=about)  # type: ignore[arg-type]
        traversal = await begin(world)
        for _ in range(len(faults) + 1):
            try:
                await world.walk(traversal)
                break
            except RelayUnreachable:
                continue
        told = await outcomes(world)
        assert set(told.values()) <= {"accepted", "refused", "in_doubt"}
        taken = [number for number, _ in provider.texts]
        assert len(taken) == len(set(taken))
        # whoever was taken is accepted or in doubt, and whoever is accepted was taken
        of = {"p": "+46701234567", "q": "+46701234568"}
        assert {of[one] for one, state in told.items() if state == "accepted"} <= set(taken)
        assert not {of[one] for one, state in told.items() if state == "refused"} & set(taken)
    finally:
        await transport.close()
        await provider.stop()
        await world.close()
        pairs.give_back(pair)


LIMITS = """
---
communication_limits: default
limits: [{per: person, at_most: 1, every: 1 day, channel: sms}]
quiet_hours: [{from: "00:00", to: "06:00", otherwise: hold}]
"""


async def test_held_text_is_sent_by_the_queue_and_counted_by_its_channel(
    world: World, provider: Provider
) -> None:
    world.now = world.now.replace(hour=3, minute=0, second=0, microsecond=0) + timedelta(days=1)
    text = JOURNEY.replace(
        "ACTIONS", f"{{{TEXT}}}, {{send_sms: {{text: More}}}}, {{send_email: {{template: hi}}}}"
    )
    workspace = world.workspace(text + LIMITS, ("hi",))
    await world.load(workspace, accounts="account_id,name\na,Acme\n", people=PEOPLE)
    [traversal] = await world.enter(await world.publish(workspace, "main"))
    assert (await world.walk(traversal)).ended is not None
    states = "select action, position, coalesce(reason, state) as state from ledger order by 2, 1"
    assert {row["state"] for row in await world.engage.fetch(states)} == {"held"}
    world.now = world.now.replace(hour=6, minute=30)
    provider.when((429, 20429))  # the mail does not wait for the texts
    with pytest.raises(RelayUnreachable):
        await queue(world)
    assert len(world.mailed()) == 2
    world.pass_time(minutes=2)
    assert await queue(world) > 0
    # the second text of a day is one too many, the mail does not count
    told = [(row["action"], row["state"]) for row in await world.engage.fetch(states)]
    assert told == [
        ("send_sms", "accepted"), ("send_sms", "accepted"),
        ("send_sms", "limit-person"), ("send_sms", "limit-person"),
        ("send_email", "accepted"), ("send_email", "accepted"),
    ]  # fmt: skip
    assert sorted(text for _, text in provider.texts) == ["Hello Pia", "Hello Quy"]
    kinds = await world.engage.fetch("select type, count(*) as n from activities group by 1")
    assert {row["type"]: row["n"] for row in kinds} == {"sms_sent": 2, "email_sent": 2}


async def queue(world: World) -> int:
    """Let the delivery queue send what is due."""
    total = 0
    while some := await delivery_queue.send_some(
        world.engage, world.plans, world.mailing, "queue/1", lambda: world.now
    ):
        total += some
    return total


async def test_operational_text_goes_without_consent_and_beyond_limits_but_not_after_a_stop(
    world: World, provider: Provider
) -> None:
    people = """person_id,email,mobile_phone,sms_consent,suspended,account_id
silent,s@a.example,+46701234501,,,a
no,n@a.example,+46701234502,false,true,a
stopped,t@a.example,+46701234503,true,,a
"""
    limits = "communication_limits: one\nlimits: [{per: person, at_most: 1, every: 1 day, channel: sms}]\n"
    text = JOURNEY.replace("ACTIONS", "{send_sms: {text: Your code, operational: true}}")
    twice = text.replace("end: over", "next: again").rstrip() + (
        "\n  again: {do: [{send_sms: {text: Your code, operational: true}}], end: over}\n"
    )
    workspace = world.workspace(limits + "---" + twice)
    await world.load(workspace, accounts="account_id,name\na,Acme\n", people=people)
    await suppressions.add(world.engage, ["+46701234503"], "opt_out", source="t", at=world.now)
    [traversal] = await world.enter(await world.publish(workspace, "main"))
    assert (await world.walk(traversal)).ended is not None
    assert await outcomes(world) == {
        "silent": "accepted", "no": "accepted", "stopped": "no-consent",
    }  # fmt: skip
    assert len(provider.texts) == 4
