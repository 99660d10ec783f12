"""E-mail copy that is changed in versions that run: what is not written yet is written with it."""

from collections.abc import Awaitable, Callable

import pytest

from caravan.campaigns import mail_claims
from caravan.campaigns.plans import PlanCache
from caravan.delivery.capture import CaptureTransport
from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.transport import BeforeContent, Outgoing, Verdict
from caravan.engage import copies, sql
from caravan.engage.copies import DoesNotFit
from tests.world import World

JOURNEY = """
journey: trip
audience: everyone
schedule: {end: 30 days}
tokens: {webinar: May}
start: hello
nodes:
  hello: {do: [{send_email: {template: hi}}], next: rest}
  rest: {wait: 2 days, next: again}
  again: {do: [{send_email: {template: hi}}]}
"""
MAIL = """---
email: hi
subject: "Hello"
%s---
<html><body><p>%s for {{ account.name }}</p></body></html>
"""


async def start(world: World) -> int:
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,account_id\np,p@x.example,a\nq,q@x.example,a\n",
    )
    [traversal] = await world.enter(await world.publish(workspace, "trip"))
    return traversal


async def publish(world: World, words: str, front: str = "") -> list[copies.Changed]:
    world.write("emails/hi.html", MAIL % (front, words))
    workspace = world.workspace(JOURNEY)
    return await copies.publish(world.engage, workspace.templates["hi"], world.now)


async def test_messages_not_written_yet_have_the_new_copy_and_the_ledger_says_so(
    world: World,
) -> None:
    traversal = await start(world)
    await world.walk(traversal)
    assert await publish(world, "Better") == [copies.Changed("trip", 1, 1)]
    assert await publish(world, "Better") == [copies.Changed("trip", 1, None)]
    plans = await world.engage.fetch("select hash from plans")
    world.pass_time(days=3)
    await world.walk(traversal)
    assert [template for template, _ in world.mailed()] == ["hi", "hi", "Better", "Better"]
    told = {(row["node"], row["template"], row["copy"]) for row in await world.ledger()}
    assert told == {("hello", "hi", None), ("again", "hi", 1)}
    assert await world.engage.fetch("select hash from plans") == plans


async def test_later_copy_counts_and_that_of_before_can_be_had_again(world: World) -> None:
    traversal = await start(world)
    await publish(world, "Better")
    assert await publish(world, "Best") == [copies.Changed("trip", 1, 2)]
    await world.walk(traversal)
    assert await publish(world, "hi") == [copies.Changed("trip", 1, 3)]
    world.pass_time(days=3)
    await world.walk(traversal)
    assert [template for template, _ in world.mailed()] == ["Best", "Best", "hi", "hi"]


class Breaking(CaptureTransport):
    """Takes one message; then the relay is away."""

    async def send(self, message: Outgoing, before_content: BeforeContent) -> Verdict:
        if self.accepted:
            raise RelayUnreachable("gone")
        return await super().send(message, before_content)


async def test_what_has_not_left_when_a_relay_is_away_leaves_with_the_new_copy(
    world: World,
) -> None:
    traversal = await start(world)
    world.transport = broken = Breaking()
    with pytest.raises(RelayUnreachable):
        await world.walk(traversal)
    await publish(world, "Better")
    world.transport = CaptureTransport()
    await world.send(traversal, "try 2")
    assert [template for template, _ in world.mailed()] == ["Better"]
    assert len(broken.messages) == 1
    assert {row["copy"] for row in await world.ledger()} == {None, 1}


class Slow(CaptureTransport):
    """Another try claims the messages, with a newer copy, before this one's first leaves."""

    def __init__(self, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self.meanwhile = meanwhile

    async def send(self, message: Outgoing, before_content: BeforeContent) -> Verdict:
        if not self.accepted:
            await self.meanwhile()
        return await super().send(message, before_content)


async def test_ledger_names_the_copy_that_left_not_the_one_another_try_claimed(
    world: World,
) -> None:
    traversal = await start(world)

    async def meanwhile() -> None:
        await publish(world, "Better")
        step = (await world.state(traversal)).step_no
        await mail_claims.claim(
            world.engage,
            world.plans,
            world.mailing,
            traversal,
            step,
            "try 2",
            world.now,
            go_on=True,
        )

    world.transport = Slow(meanwhile)
    await world.walk(traversal)
    assert [template for template, _ in world.mailed()] == ["hi", "hi"]
    assert [row["copy"] for row in await world.ledger()] == [None, None]


@pytest.mark.parametrize(
    ("words", "front", "why"),
    [
        ("Better", "operational: true\n", "operational was false"),
        ("{{ my.agenda }}", "", "agenda"),
    ],
)
async def test_copy_that_does_not_fit_changes_nothing(
    world: World, words: str, front: str, why: str
) -> None:
    traversal = await start(world)
    world.write("emails/hi.html", MAIL % (front, words))
    tokens = JOURNEY.replace("webinar: May", "webinar: May, agenda: A")
    workspace = world.workspace(tokens)
    with pytest.raises(DoesNotFit, match=why):
        await copies.publish(world.engage, workspace.templates["hi"], world.now)
    assert await world.engage.fetchval("select count(*) from live_copies") == 0
    await world.walk(traversal)
    assert {template for template, _ in world.mailed()} == {"hi"}


async def test_next_version_has_the_copy_of_its_workspace(world: World) -> None:
    traversal = await start(world)
    await publish(world, "Better")
    edited = JOURNEY.replace("wait: 2 days", "wait: 1 day")
    world.write("emails/hi.html", MAIL % ("", "Newest"))
    second = await world.publish(world.workspace(edited), "trip")
    row = await sql.fetchrow(world.engage, "journey_by_id", id=second)
    assert row["copies_hash"] is None
    await world.walk(traversal)  # on its first version
    assert {template for template, _ in world.mailed()} == {"Better"}


async def test_copy_newer_than_the_hash_it_was_read_by_is_not_kept_under_it(world: World) -> None:
    """Two versions may say the same of their copies; what one says since is not the other's."""
    await start(world)
    await publish(world, "Better")
    [row] = await sql.fetch(world.engage, "journeys", slug="trip")
    before = row["copies_hash"]
    kept = await world.plans.copies(world.engage, row["id"], before)
    await publish(world, "Best")
    other = PlanCache()
    late = await other.copies(world.engage, row["id"], before)
    assert late["hi"].number == 2
    await world.engage.execute(
        "delete from live_copies where copy = 2"
    )  # as the other version has it
    assert (await other.copies(world.engage, row["id"], before))["hi"].number == 1
    await world.engage.execute("delete from live_copies")
    assert await world.plans.copies(world.engage, row["id"], before) is kept
