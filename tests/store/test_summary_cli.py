"""`account show --summary` and `buying-group show --summary`: facts with their records, and prose where there is a model."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from caravan.ai.asking import Asker
from caravan.ai.summarising import summarise
from caravan.ai.unanswered import Unanswered
from caravan.ai_settings import AISettings
from caravan.reports.facts import Fact, Facts
from caravan.reports.phrases import Phrase
from caravan.reports.pseudonyms import Pseudonyms
from tests.commands import Cli
from tests.grouping import Grouping
from tests.scripted_model import HANG, Asked, Counts, Fails, ScriptedService, serving
from tests.world import World

DOCUMENTS = """
roles_template: team
roles: [{role: chief, required: true, members_required: 2}, {role: user}]
---
solution_interest: grid
roles_template: team
---
journey: main
audience: everyone
schedule: {end: 90 days}
start: mail
nodes:
  mail: {do: [{send_email: {template: hi}}], next: pick}
  pick:
    split: accounts
    paths: [{label: Steel, when: {account: {name: {contains: Acme}}}, next: ears}]
  ears: {listen: [{form_filled: {form: meeting, end: met}}], timeout: {after: 1 day, end: silence}}
"""
DATA = {
    "accounts": "account_id,name\nacc-a,Acme <& Co>\nacc-b,Other\n",
    "people": "person_id,email,first_name,last_name,job_title,mobile_phone,account_id\n"
    "p-1,pia@a.example,Pia,[red]Ek[/red],Chief,+46701234567,acc-a\np-2,quy@a.example,Quy,,,,acc-a\n",
}
PRIVATE = ("Acme", "Pia", "Ek", "Quy", "a.example", "+4670", "p-1", "acc-a")


async def begin(world: World) -> int:
    """An account that has left, with a group, and moments that say too much."""
    world.pass_time(hours=-2)  # commands look from the real now
    workspace = world.workspace(DOCUMENTS, mails=("hi",))
    await world.load(workspace, **DATA)
    journey = await world.publish(workspace, "main")
    grouping = Grouping(world)
    await grouping.store(workspace)
    traversal, *_ = await world.enter(journey)
    await grouping.assign(await grouping.group("acc-a"), "chief", "manual", "p-1")
    await world.walk(traversal)
    world.pass_time(minutes=1)
    await world.happen(
        "interesting_moment", person="p-1", type="web", text="Pia Ek of Acme <& Co>: call +46 70 123 45 67"
    )  # fmt: skip
    await world.happen("form_filled", person="p-1", form="meeting")
    state = await world.walk(traversal)
    assert state.ended is not None
    return traversal


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AI_MODEL", "AI_BASE_URL", "AI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def service() -> AsyncIterator[ScriptedService]:
    async with serving() as running:
        yield running


def about(text: str, words: str) -> Any:
    """A sentence about the first record that says so."""

    def line(asked: Asked) -> Any:
        found = next(one for one in asked.facts["records"] if words in one["text"])
        who = re.search(r"person \d+", found["text"])
        told = text.replace("WHO", who[0] if who else "")
        return {"sentences": [{"text": told, "records": [found["record"]]}]}

    return line


async def test_without_a_model_the_facts_stand_with_their_records(world: World) -> None:
    traversal = await begin(world)
    told = await Cli(world).json("account", "show", "acc-a", "--summary")
    assert told["sentences"] == []
    assert told["unanswered"].startswith("No model is set")
    facts = {one["record"]: one["text"] for one in told["facts"]}
    left = facts[f"traversal:{traversal}"]
    assert left.startswith("Acme <& Co> entered the journey main v1 (entry 1) and left it ")
    assert left.endswith("completed, outcome met")
    assert "path Steel; because account's name is Acme <& Co>" in facts[f"step:{traversal}/3"]
    assert any("filled in the form meeting" in text for text in facts.values())
    [group] = [text for record, text in facts.items() if record.startswith("group:")]
    assert "1 member, not qualified, nobody is user" in group
    messages = [one for one in facts if one.startswith("message:")]
    assert len(messages) == 2
    assert (
        "Pia [red]Ek[/red]: interesting moment: Pia Ek of Acme <& Co>: call +46 70 123 45 67"
        in facts.values()
    )
    words = await Cli(world).say("account", "show", "acc-a", "--summary")
    assert "No model is set" in words
    assert f"step:{traversal}/2" in words
    assert "Pia [red]Ek[/red]" in words


async def test_model_writes_prose_of_records_and_is_told_no_names(
    world: World, service: ScriptedService
) -> None:
    await begin(world)
    service.lines = [about("WHO filled in the form meeting.", "filled in the form")]
    cli = Cli(world, **service.environment())
    told = await cli.json("account", "show", "acc-a", "--summary")
    [sentence] = told["sentences"]
    assert sentence["text"] == "Pia [red]Ek[/red] filled in the form meeting."
    assert sentence["records"] == [one for one in sentence["records"] if one.startswith("event:")]
    assert told["model"] == "scripted"
    sent = service.asked[0].user + service.asked[0].instructions
    for private in PRIVATE:
        assert private not in sent, private
    assert service.problems == []
    words = await cli.say("account", "show", "acc-a", "--summary")
    assert words.startswith("Pia [red]Ek[/red] filled in the form meeting. [event:")
    assert len(service.asked) == 1  # kept for the very same facts


async def test_plain_show_asks_no_model(world: World, service: ScriptedService) -> None:
    await begin(world)
    service.lines = [Fails(500)]
    cli = Cli(world, **service.environment())
    await cli.say("account", "show", "acc-a")
    await cli.say("buying-group", "show", "acc-a/grid")
    assert service.asked == []


WRONG = {"sentences": [{"text": "All is well.", "records": ["event:0"]}]}


@pytest.mark.parametrize("line", [HANG, Fails(503), WRONG, json.dumps(WRONG).replace("well", "\ud800"), Counts(WRONG, 10**30, 1)], ids=ascii)  # fmt: skip
async def test_whatever_a_model_does_the_facts_are_told(
    world: World, service: ScriptedService, line: Any
) -> None:
    await begin(world)
    service.lines = [line]
    cli = Cli(world, **service.environment(AI_TIMEOUT="3"))
    told = await cli.json("buying-group", "show", "acc-a/grid", "--summary")
    assert told["sentences"] == []
    assert told["unanswered"]
    assert "All is well" not in str(told)
    records = [one["record"] for one in told["facts"]]
    assert [one.partition(":")[0] for one in records[:4]] == ["group", "role", "role", "member"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("AI_API_KEY", "sécretkey"), ("AI_FEATURES", " , "), ("AI_MODEL", "gpt\udcff")],
)  # fmt: skip
async def test_whatever_is_set_the_facts_are_told(
    world: World, service: ScriptedService, name: str, value: str
) -> None:
    await begin(world)
    cli = Cli(world, **service.environment() | {name: value})
    told = await cli.json("account", "show", "acc-a", "--summary")
    assert told["unanswered"].startswith(f"The setting {name} is wrong")
    assert "cretkey" not in str(told)
    assert told["facts"]
    assert service.asked == []


async def test_stores_that_cannot_note_the_call_leave_the_facts(
    world: World, service: ScriptedService
) -> None:
    await begin(world)
    service.lines = [WRONG]
    await world.engage.execute("alter table ai_calls rename to ai_calls_elsewhere")
    try:
        told = await Cli(world, **service.environment()).json(
            "account", "show", "acc-a", "--summary"
        )
    finally:
        await world.engage.execute("alter table ai_calls_elsewhere rename to ai_calls")
    assert "are not those of this version" in told["unanswered"]
    assert told["facts"]


async def test_terminal_that_lacks_letters_shows_others(
    world: World, service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = str(DATA["people"])
    monkeypatch.setitem(DATA, "people", people.replace("[red]Ek[/red]", "Åström"))
    await begin(world)
    service.lines = [about("WHO filled in the form meeting.", "filled in the form")]
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "starter", "account", "show", "acc-a", "--summary",
        env={**os.environ, **Cli(world, **service.environment()).environment, **plain},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await run.communicate()
    assert run.returncode == 0
    assert out.startswith(b"Pia ?str?m filled in the form meeting. [event:")


async def test_group_is_summed_up_by_its_own_records(
    world: World, service: ScriptedService
) -> None:
    await begin(world)
    service.lines = [about("WHO is the only chief.", "is chief")]
    told = await Cli(world, **service.environment()).json(
        "buying-group", "show", "acc-a/grid", "--summary"
    )
    assert told["sentences"][0]["text"] == "Pia [red]Ek[/red] is the only chief."
    for private in PRIVATE:
        assert private not in service.asked[0].user, private


async def test_facts_of_a_group_count_as_people_do(world: World) -> None:
    await begin(world)
    told = await Cli(world).json("buying-group", "show", "acc-a/grid", "--summary")
    texts = [one["text"] for one in told["facts"]]
    assert "role chief has 1 person and needs 2" in texts
    assert "role user has 0 people and is not required" in texts


async def test_facts_stand_where_they_cannot_be_told_to_a_model(world: World) -> None:
    class Broken:
        text = "filled in the form ışık"

        @property
        def told(self) -> str:
            raise KeyError(self.text)

    facts = Facts("account 1", (Fact("event:1", Phrase((Broken(),))),), Pseudonyms())
    asker = Asker(AISettings(model="scripted:m"), world.engage)
    with pytest.raises(Unanswered, match=r"^The facts cannot be told without names \(KeyError\)$"):
        await summarise(asker, facts, world.now)
