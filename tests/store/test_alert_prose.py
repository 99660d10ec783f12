"""Prose in sales alerts: between two claims, of the facts of then, and never in the way of an alert."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from activities.alert_summaries import AlertSummaries, alert_summaries
from activities.askers import Askers
from caravan.ai_settings import AISettings
from caravan.campaigns.alert_prose import Said
from caravan.delivery.errors import RelayUnreachable
from caravan.engage import halting
from caravan.reports.cited import Sentence
from caravan.reports.facts import Fact, Facts
from caravan.reports.names import KnownNames
from caravan.reports.pseudonyms import Pseudonyms
from tests.relay import Relay
from tests.scripted_model import Asked, ScriptedModel
from tests.store.test_sales_alert import begin, parts
from tests.world import World

SETTINGS = AISettings(model="scripted:m")


def sentence(text: str, record: str) -> Callable[[Asked], Any]:
    """Cites the first record that begins so, and puts its person into the text."""

    def line(asked: Asked) -> Any:
        found = next(one for one in asked.facts["records"] if one["record"].startswith(record))
        who = next((f"person {one}" for one in found["record"].split("/")[1:]), "")
        return {"sentences": [{"text": text.replace("WHO", who), "records": [found["record"]]}]}

    return line


async def test_alert_has_prose_with_names_put_back_and_its_records(world: World) -> None:
    traversal = await begin(world)
    model = ScriptedModel(sentence("WHO is the most engaged.", "member:"))
    world.summarise = AlertSummaries(Askers(SETTINGS, model.model))
    assert (await world.walk(traversal)).ended is not None
    assert len(world.transport.messages) == 2
    assert len(model.asked) == 1  # two addresses, one question
    _, text, html = parts(world)
    assert "IN SHORT, WRITTEN BY scripted:m" in text
    assert "Quy is the most engaged. [member:" in text
    assert text.index("Completeness:") < text.index("IN SHORT")  # facts first
    assert "Quy is the most engaged." in html
    shown = model.asked[0].user
    for kept in ("Acme", "Pia", "Ek", "Quy", "Sam", "@a.example", "+4670", "0812345"):
        assert kept not in shown, kept
    assert [row["state"] for row in await world.ledger() if row["message_id"]] == ["accepted"] * 2


async def test_no_transaction_and_no_lock_is_open_while_the_model_is_asked(world: World) -> None:
    traversal = await begin(world)
    states: list[str] = []

    async def summarise(engage: Any, facts: Facts, at: datetime) -> Said | None:
        states.extend(row["state"] for row in await world.ledger() if row["message_id"])
        locked = "select from traversals where id = $1 for update nowait"
        await engage.fetch(locked, traversal)
        return None

    world.summarise = summarise
    assert (await world.walk(traversal)).ended is not None
    assert states == ["claimed", "claimed"]  # nothing has left
    assert len(world.transport.messages) == 2
    assert "IN SHORT" not in parts(world)[1]


@pytest.mark.parametrize("fault", ["fails", "hangs", "invents", "budget"])
async def test_alert_leaves_with_facts_alone_whatever_the_model_does(
    world: World, fault: str
) -> None:
    traversal = await begin(world)
    invented = {"sentences": [{"text": "All is well.", "records": ["event:999999"]}]}
    model = ScriptedModel(RuntimeError("Pia") if fault == "fails" else invented)
    settings = SETTINGS
    if fault == "hangs":
        model.hold.clear()
        settings = replace(SETTINGS, timeout=timedelta(seconds=0.3))
    if fault == "budget":
        settings = replace(SETTINGS, daily_tokens=1)
    asks = AlertSummaries(Askers(settings, model.model))
    world.summarise = asks
    assert (await world.walk(traversal)).ended is not None
    assert len(world.transport.messages) == 2
    _, text, _ = parts(world)
    assert "IN SHORT" not in text
    assert "All is well" not in text
    assert "Most engaged: Quy" in text


async def test_model_that_failed_is_left_alone_for_a_while(world: World) -> None:
    clock = [0.0]
    model = ScriptedModel(RuntimeError("no"))
    asks = AlertSummaries(Askers(SETTINGS, model.model), seconds=lambda: clock[0])
    facts = Facts("account 1", (Fact("account:1", "there is one"),), Pseudonyms())
    for at, asked in ((1.0, 1), (2.0, 1), (400.0, 2)):
        clock[0] = at
        assert await asks(world.engage, facts, world.now) is None
        assert len(model.asked) == asked


async def test_who_was_erased_meanwhile_is_not_told_of(world: World) -> None:
    traversal = await begin(world)

    async def summarise(engage: Any, facts: Facts, at: datetime) -> Said | None:
        quy = await engage.fetchval("select id from people where external_id = 'q'")
        await engage.execute(
            "update buying_group_members set removed_at = $1 where person_id = $2", at, quy
        )
        group = next(one.record for one in facts.items if one.record.startswith("group:"))
        member = next(one for one in facts.by_record if re.fullmatch(rf"member:\d+/{quy}", one))
        said = [
            (f"person {quy} is keen.", member),
            (f"person {quy} is keen.", group),
            ("The group is there.", group),
        ]
        return Said("m", [Sentence(text=text, records=[record]) for text, record in said])

    world.summarise = summarise
    await world.walk(traversal)
    _, text, _ = parts(world)
    assert "The group is there." in text
    assert "keen" not in text
    assert "Quy" not in text


async def test_a_try_behind_one_whose_relay_was_away_sends_once(world: World) -> None:
    traversal = await begin(world)
    model = ScriptedModel(sentence("The group is there.", "group:"))
    world.summarise = AlertSummaries(Askers(SETTINGS, model.model))
    capture = world.transport
    relay = Relay()
    await relay.start()
    await relay.stop()
    world.transport = relay.transport()  # type: ignore[assignment]
    with pytest.raises(RelayUnreachable):
        await world.walk(traversal)
    first = {row["message_id"] for row in await world.ledger() if row["message_id"]}
    world.transport = capture
    await world.walk(traversal)
    assert {one.message_id for one in world.transport.messages} == first
    assert len(world.transport.messages) == 2
    assert len(model.asked) == 1  # the answer is kept
    assert "The group is there." in parts(world)[1]


def test_alerts_ask_where_a_model_is_set_and_summaries_are_switched_on() -> None:
    assert alert_summaries(Askers(AISettings())) is None
    assert alert_summaries(Askers(replace(SETTINGS, features=frozenset()))) is None
    assert alert_summaries(Askers(SETTINGS)) is not None


async def test_steps_on_the_way_are_told_with_the_send(world: World) -> None:
    """Asked in one activity with what comes before: the second claim begins behind it."""
    traversal = await begin(world)
    model = ScriptedModel(sentence("The group is there.", "group:"))
    world.summarise = AlertSummaries(Askers(SETTINGS, model.model))
    sent = await world.send(traversal, go_on=True)
    assert [one.step_no for one in sent.outcomes] == [1, 2]
    assert sent.ended is not None
    assert len(world.transport.messages) == 2
    assert "The group is there." in parts(world)[1]


async def test_what_is_halted_while_the_model_is_asked_does_not_leave(world: World) -> None:
    traversal = await begin(world)

    async def summarise(engage: Any, facts: Facts, at: datetime) -> Said | None:
        await halting.halt(engage, at, "test")
        return None

    world.summarise = summarise
    sent = await world.send(traversal, go_on=True)
    assert world.transport.messages == []
    assert [one.step_no for one in sent.outcomes] == [1]  # what was done on the way is told
    assert (await world.send(traversal)).held_until is not None
    assert world.transport.messages == []


async def test_names_of_whom_the_alert_does_not_list_are_not_sent_either(world: World) -> None:
    traversal = await begin(world)
    await world.happen(
        "interesting_moment", person="t", type="web", text="Tea and Uno met r@a.example"
    )
    model = ScriptedModel(sentence("The group is there.", "group:"))
    world.summarise = AlertSummaries(Askers(SETTINGS, model.model))
    await world.walk(traversal)
    moments = [one["text"] for one in model.asked[0].facts["records"] if "a moment" in one["text"]]
    assert any(re.search(r"person \d+ and person \d+ met person \d+$", one) for one in moments)
    assert not any(name in model.asked[0].user for name in ("Tea", "Uno"))


async def test_alert_leaves_whatever_its_facts_hold(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where they could be told when the model was asked, and cannot be any more."""
    traversal = await begin(world)
    model = ScriptedModel(sentence("The group is there.", "group:"))
    asks = AlertSummaries(Askers(SETTINGS, model.model))

    async def summarise(engage: Any, facts: Facts, at: datetime) -> Said | None:
        said = await asks(engage, facts, at)
        monkeypatch.setattr(KnownNames, "found", broken)
        return said

    def broken(self: KnownNames, text: str) -> Any:
        raise KeyError(text)

    world.summarise = summarise
    assert (await world.walk(traversal)).ended is not None
    assert len(model.asked) == 1
    assert len(world.transport.messages) == 2
    assert "IN SHORT" not in parts(world)[1]
