"""How decisions are told: ``account show``, ``why``, the report of the journey; and when they go."""

from datetime import timedelta
from typing import Any

import pytest

from caravan.campaigns.deciding import NotDecidedYet
from caravan.campaigns.forgetting import forget_page
from caravan.reports.page import page
from caravan.retention import Retention
from tests.commands import Cli
from tests.deciding import JOURNEY, Deciding, says
from tests.scripted_model import ScriptedModel
from tests.store.test_reports import reported
from tests.world import World

MAILED = JOURNEY.replace(
    "hot: {do: [{update_account: {field: source_type, value: hot}}]",
    "hot: {do: [{send_email: {template: hi}}]",
)


@pytest.fixture
def deciding(world: World) -> Deciding:
    return Deciding(world)


async def test_account_show_tells_path_confidence_model_and_reason(deciding: Deciding) -> None:
    deciding.model = ScriptedModel(says(reason="[bold red]person 1[/] is <b>keen</b>"))
    await deciding.begin()
    await deciding.decide()
    cli = Cli(deciding.world)
    told = await cli.json("account", "show", "acme")
    [way] = told["journeys"]
    step = next(one for one in way["steps"] if one["command"] == "decide")
    assert (step["kind"], step["outcome"], step["told"]) == ("decide", "Hot", "decided: path Hot")
    assert step["because"] == {
        "confidence": 0.9, "model": "test:scripted", "reason": "[bold red]person 1[/] is <b>keen</b>",
    }  # fmt: skip
    [decision] = way["decisions"]
    assert decision["people"] == {"person 1": "ann", "person 2": "bo"}
    assert decision["facts"]["account"]["industry"] == "Energy"
    assert len(decision["digest"]) == 64
    assert "cause" not in decision
    printed = await cli.say("account", "show", "acme")
    assert "decided: path Hot" in printed
    assert "[bold red]person 1[/] is <b>keen</b>" in printed  # as it is, and not as markup
    assert "person 1 is ann" in printed
    assert "person 2 is" not in printed  # of whom nothing is said


async def test_account_show_tells_why_no_path_was_taken(deciding: Deciding) -> None:
    deciding.model = ScriptedModel(says("Warm", 0.3, "little is known"))
    await deciding.begin()
    await deciding.decide()
    printed = await Cli(deciding.world).say("account", "show", "acme")
    for said in ("decided: otherwise", "cause low-confidence", "path Warm", "little is known"):
        assert said in printed


async def test_account_show_tells_of_a_decision_that_is_still_to_be_made(
    deciding: Deciding,
) -> None:
    deciding.model = ScriptedModel(TimeoutError())
    await deciding.begin()
    with pytest.raises(NotDecidedYet):
        await deciding.decide()
    printed = await Cli(deciding.world).say("account", "show", "acme")
    assert "not made yet, asked 1 of 3 times" in printed
    assert "AI_TIMEOUT" in printed


async def test_why_tells_what_a_model_decided_on_the_way_to_a_mail(deciding: Deciding) -> None:
    workspace = deciding.world.workspace(MAILED, ("hi",))
    assert not workspace.errors
    await deciding.begin(MAILED)
    await deciding.decide()
    await deciding.world.walk(deciding.traversal)
    message = await deciding.world.engage.fetchval(
        "select message_id from ledger where message_id is not null limit 1"
    )
    told = await Cli(deciding.world).json("why", "--mail", message)
    [step] = [one for one in told["steps"] if one["node"] == "triage"]
    assert step["because"]["reason"] == "person 1 is keen"


async def several(world: World, *answers: Any) -> None:
    """As many accounts as answers, each decided for."""
    accounts = "account_id,name,industry,employees\n" + "".join(
        f"a{n},A{n},Energy,{n + 1}\n" for n in range(len(answers))
    )
    workspace = world.workspace(JOURNEY)
    await world.load(workspace, accounts=accounts)
    traversals = await world.enter(await world.publish(workspace, "trip"))
    for traversal, answer in zip(traversals, answers, strict=True):
        one = Deciding(world, ScriptedModel(answer), traversal=traversal)
        await world.walk(traversal)
        await one.decide()


async def test_the_report_counts_paths_confidence_and_causes(world: World) -> None:
    await several(world, says("Hot", 0.8), says("Hot", 1), says("Warm", 0.7), says("Hot", 0.2), "?")
    made = await reported(world)
    [node] = made.decisions
    assert node.node == "triage"
    assert [(one.path, one.accounts, one.confidence, one.cause) for one in node.paths] == [
        ("Hot", 2, pytest.approx(0.9), None),
        ("Warm", 1, pytest.approx(0.7), None),
        ("otherwise", 1, None, "failed"),
        ("otherwise", 1, pytest.approx(0.2), "low-confidence"),
    ]
    drawn = page("Trip", "trip", made, duration="")
    assert "Decided by a model at triage" in drawn
    assert "confidence 0.90" in drawn
    told = await Cli(world).json("report", "journey", "trip")
    assert told["decisions"][0]["paths"][0]["accounts"] == 2
    assert "Decided by a model at triage" in await Cli(world).say("report", "journey", "trip")
    shown = await Cli(world).json("journey", "show", "trip")
    triage = next(one for one in shown["nodes"] if one["node"] == "triage")
    assert (triage["kind"], triage["of"]) == ("decide", "accounts")
    assert triage["paths"] == {"Hot": 2, "Warm": 1, "otherwise": 2}


async def test_a_journey_without_a_decide_reports_none(world: World) -> None:
    workspace = world.workspace(
        JOURNEY.replace("next: triage", "next: other").split("  triage:")[0]
        + "  other: {wait: 3 days}\n"
    )
    await world.load(workspace, accounts="account_id,name\na,A\n")
    await world.enter(await world.publish(workspace, "trip"))
    assert (await reported(world)).decisions == []


async def test_what_was_decided_goes_with_the_steps_it_decided(deciding: Deciding) -> None:
    await deciding.begin()
    await deciding.decide()
    world = deciding.world
    world.pass_time(days=2)
    assert (await world.walk(deciding.traversal)).ended is not None
    await world.engage.execute("update journeys set state = 'finished'")
    retention = Retention(steps=timedelta(days=30), events=None)
    for days, left in ((29, 1), (2, 0)):
        world.pass_time(days=days)
        while await forget_page(world.engage, world.platform, world.munchkin, retention, world.now):
            pass
        assert await world.engage.fetchval("select count(*) from decisions") == left
