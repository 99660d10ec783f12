"""Mail, a text and a sales alert of one node leave in one activity, and Temporal learns no address or number."""

from typing import Any

import pytest

from caravan.delivery.capture import CaptureTransport
from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.texts import TextMessage
from caravan.delivery.transport import BeforeContent, Outgoing, Verdict
from tests.grouping import Grouping
from tests.running import Running
from tests.world import World

JOURNEY = """
roles_template: team
roles: [{role: chief}]
---
solution_interest: grid
roles_template: team
---
journey: main
audience: everyone
schedule: {end: 90 days}
start: tell
nodes:
  tell:
    do:
      - send_email: {template: hi}
      - send_sms: {text: "Secretly {{ person.first_name }}"}
      - send_sales_alert: {solution_interest: grid, to: [ann@sales.example]}
    end: told
"""


class AwayOnce(CaptureTransport):
    """A provider of texts that is away the first time."""

    async def send(self, message: Outgoing, before_content: BeforeContent) -> Verdict:
        if not self.accepted:
            self.accepted += 1
            raise RelayUnreachable("The SMS provider is away")
        return await super().send(message, before_content)


@pytest.fixture
async def world(world: World) -> World:
    world.texts = AwayOnce()
    return world


async def test_all_kinds_leave_once_by_one_command(running: Running) -> None:
    world: Any = running.world
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,first_name,mobile_phone,sms_consent,account_id\n"
        "p,pia@a.example,Pia,+46701234567,true,a\n",
    )
    journey = await world.publish(workspace, "main")
    grouping = Grouping(world)
    await grouping.store(workspace)
    await world.enter(journey)
    await grouping.group("a")
    [handle] = await running.start(journey)
    ended = await handle.result()
    assert ended.label == "told"

    [text] = world.texts.messages
    assert isinstance(text, TextMessage)
    assert (text.recipient, text.text) == ("+46701234567", "Secretly Pia")
    mailed = [message.recipient for message in world.transport.messages]
    assert mailed == ["pia@a.example", "ann@sales.example"]
    assert {row["state"] for row in await world.ledger()} == {"accepted"}

    history = (await handle.fetch_history()).to_json()
    for secret in ("sales.example", "a.example", "4670", "Secretly", "Pia"):
        assert secret not in history
    assert history.count('"activityType"') <= 2
