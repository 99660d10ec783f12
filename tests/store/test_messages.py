"""What a message is, for every query alike: which actions send, by which carrier, and where each goes."""

from typing import ClassVar

import pytest

from caravan.campaigns.messages import MESSAGES
from caravan.engage import sql, subscriptions
from caravan.journeys.actions import ACTIONS
from caravan.journeys.actions.base import Carrier
from caravan.journeys.actions.send_sms import SendSms
from tests.commands import Cli
from tests.world import World

JOURNEY = """
journey: main
audience: everyone
schedule: {end: 90 days}
start: all
nodes:
  all: {do: [{send_email: {template: hi}}, {send_sms: {text: Hello}}, {send_sales_alert: {solution_interest: grid, to: [ann@sales.example]}}], end: over}
---
roles_template: team
roles: [{role: chief, required: true}]
---
solution_interest: grid
roles_template: team
"""


async def send_all(world: World) -> None:
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,mobile_phone,sms_consent,account_id\np,p@a.example,+46701234567,true,a\n",
    )
    [traversal] = await world.enter(await world.publish(workspace, "main"))
    await world.engage.execute(
        "insert into buying_groups (account_id, solution_interest, template_id, created_at)"
        " select a.id, 'grid', r.id, now() from accounts a, roles_templates r"
    )
    await world.walk(traversal)


ADDRESSES = {
    "send_email": "p@a.example",
    "send_sms": "+46701234567",
    "send_sales_alert": "ann@sales.example",
}


def test_every_action_that_sends_has_its_making() -> None:
    assert set(MESSAGES) == {name for name, action in ACTIONS.items() if action.carrier is not None}


async def test_every_listing_says_where_a_message_goes(world: World) -> None:
    await send_all(world)
    listed = await sql.fetch(world.engage, "messages", state=None, slug="main", limit=10)
    assert {row["action"]: row["address"] for row in listed} == ADDRESSES
    for row in listed:
        found = await sql.fetchrow(world.engage, "find_message", message_id=row["message_id"])
        assert found["address"] == ADDRESSES[row["action"]]
    waiting = await sql.fetch(world.engage, "deliveries", states=["accepted"], slug=None, limit=10)
    assert {row["action"]: row["address"] for row in waiting} == ADDRESSES
    [counted] = await sql.fetch(world.engage, "message_counts", slug="main")
    assert (counted["state"], counted["messages"]) == ("accepted", 3)


async def test_commands_tell_a_texts_number(world: World) -> None:
    await send_all(world)
    text = await world.engage.fetchval("select message_id from ledger where action = 'send_sms'")
    alert = await world.engage.fetchval("select message_id from ledger where person_id < 0")
    cli = Cli(world)
    told = await cli.json("why", "--mail", text)
    assert (told["action"], told["address"], told["person"]) == ("send_sms", "+46701234567", "p")
    words = (await cli.run("why", "--mail", text)).stdout
    assert "to p <+46701234567> of a Acme" in words
    assert "send_sms of 1 segment, claimed" in words
    words = (await cli.run("why", "--mail", alert)).stdout
    assert "to <ann@sales.example> of a Acme" in words
    await world.engage.execute("update ledger set state = 'in_doubt' where message_id = $1", text)
    [listed] = await cli.json("deliveries", "--in-doubt")
    assert (listed["action"], listed["address"]) == ("send_sms", "+46701234567")
    assert "+46701234567" in (await cli.run("mail")).stdout


class SendPostcard(SendSms):
    carrier: ClassVar[Carrier | None] = "mail"


async def test_new_kind_is_a_message_by_its_line_in_the_registry(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send_all(world)
    monkeypatch.setitem(ACTIONS, "send_postcard", SendPostcard)
    await world.engage.execute(
        "update ledger set action = 'send_postcard' where action = 'send_sms'"
    )
    assert len(await sql.fetch(world.engage, "messages", state=None, slug=None, limit=10)) == 2
    await subscriptions.provision(world.stores.engage_dsn, world.munchkin, world.sandbox)
    listed = await sql.fetch(world.engage, "messages", state=None, slug=None, limit=10)
    assert {row["action"]: row["address"] for row in listed} == {
        "send_email": "p@a.example",
        "send_postcard": "p@a.example",
        "send_sales_alert": "ann@sales.example",
    }
    kinds = await world.engage.fetch("select action, carrier from message_kinds")
    assert {row["action"]: row["carrier"] for row in kinds} == {
        name: action.carrier for name, action in ACTIONS.items() if action.carrier is not None
    }
