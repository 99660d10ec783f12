"""What comes of a ``decide``: the path a model chose, or ``otherwise`` and the cause; once, whatever dies."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from caravan.ai.budget import GRACE
from caravan.ai.deciding import LONGEST, LONGEST_SAID, choose
from caravan.ai.path_choice import LONGEST_REASON, Choice, PathQuestion
from caravan.ai_settings import Feature
from caravan.campaigns import deciding as campaigns_deciding
from caravan.campaigns.deciding import MOST_TRIES, UNTOLD, WITHIN, NotDecidedYet
from caravan.campaigns.last_word import last_word
from caravan.engage import halting, sql
from caravan.engage.versions import Inside, Policy
from tests.deciding import JOURNEY, Deciding, says
from tests.scripted_model import ScriptedModel
from tests.world import World
from workflows.options import DECIDE_TIMEOUT


class Death(Exception):
    """What ends a try without a word."""


def dying_with_the_answer(deciding: Deciding) -> Callable[[], datetime]:
    """The clock of a try that ends once the model's answer is noted."""

    def now() -> datetime:
        if deciding.model.asked:
            raise Death
        return deciding.world.now

    return now


@pytest.fixture
def deciding(world: World) -> Deciding:
    return Deciding(world)


async def test_an_account_takes_the_path_that_the_model_chooses(deciding: Deciding) -> None:
    await deciding.begin()
    assert await deciding.position() == "triage"
    decided = await deciding.decide()
    assert [(one.command.kind, one.edge) for one in decided.outcomes] == [
        ("decide", "1"), ("store", "next"), ("wait", None),
    ]  # fmt: skip
    assert await deciding.position() == "rest"
    row = await deciding.row()
    assert (row["path"], row["confidence"], row["reason"], row["edge"], row["cause"]) == (
        "Hot", 0.9, "person 1 is keen", "1", None,
    )  # fmt: skip
    assert row["model"] == "test:scripted"
    assert len(row["digest"]) == 64
    assert row["decided_at"] == deciding.world.now
    assert (await deciding.step())["because"] == {"confidence": 0.9}


async def test_the_model_is_told_the_paths_in_order_and_facts_in_a_fence(
    deciding: Deciding,
) -> None:
    await deciding.begin()
    await deciding.decide()
    [asked] = deciding.model.asked
    first = asked.instructions.index('1. "Hot": Several people ask for a meeting.')
    assert asked.instructions.index('2. "Warm": Somebody reads what we write.') > first
    assert asked.facts["account"] == {"industry": "Energy", "employees": 1200, "country": "SE"}
    assert "Energy" not in asked.instructions
    assert asked.tools == ()


async def test_an_unsure_model_is_not_followed_and_its_word_is_kept(deciding: Deciding) -> None:
    deciding.model = ScriptedModel(says("Warm", 0.59, "little is known"))
    await deciding.begin()
    await deciding.decide()
    assert await deciding.position() == "other"
    row = await deciding.row()
    assert (row["path"], row["confidence"], row["cause"], row["reason"]) == (
        "Warm", 0.59, "low-confidence", "little is known",
    )  # fmt: skip
    assert (await deciding.step())["because"] == {"confidence": 0.59, "cause": "low-confidence"}


async def test_as_sure_as_the_node_asks_is_sure_enough(deciding: Deciding) -> None:
    deciding.model = ScriptedModel(says("Warm", 0.6))
    await deciding.begin()
    await deciding.decide()
    assert await deciding.position() == "warm"


@pytest.mark.parametrize(
    ("changed", "cause", "told"),
    [
        ({"model": None}, "no-model", "AI_MODEL"),
        ({"features": frozenset(Feature) - {Feature.DECIDE}}, "switched-off", "AI_FEATURES"),
        ({"daily_tokens": 10}, "budget-spent", "AI_DAILY_TOKENS"),
    ],
)
async def test_what_the_operator_has_not_set_or_allowed_leads_to_otherwise_at_once(
    deciding: Deciding, changed: dict[str, Any], cause: str, told: str
) -> None:
    deciding.settings = replace(deciding.settings, **changed)
    await deciding.begin()
    await deciding.decide()
    assert await deciding.position() == "other"
    row = await deciding.row()
    assert (row["cause"], row["model"], row["path"]) == (cause, None, None)
    assert told in row["reason"]
    assert deciding.model.asked == []


async def test_a_model_that_is_away_is_asked_again_a_few_times_and_then_has_failed(
    deciding: Deciding,
) -> None:
    deciding.model = ScriptedModel(TimeoutError())
    await deciding.begin()
    for tried in range(1, MOST_TRIES):
        with pytest.raises(NotDecidedYet):
            await deciding.decide()
        assert await deciding.position() == "triage"
        assert (await deciding.row())["tries"] == tried
    await deciding.decide()
    assert await deciding.position() == "other"
    row = await deciding.row()
    assert (row["cause"], row["tries"]) == ("failed", MOST_TRIES)
    assert "test:scripted" in row["reason"]
    assert len(deciding.model.asked) == MOST_TRIES


async def test_a_slow_model_holds_nobody_beyond_its_time(deciding: Deciding) -> None:
    deciding.settings = replace(deciding.settings, timeout=timedelta(seconds=0.2))
    deciding.model.hold.clear()
    await deciding.begin()
    with pytest.raises(NotDecidedYet, match="AI_TIMEOUT"):
        await deciding.decide()
    began = deciding.world.now
    deciding.world.now += WITHIN
    await deciding.decide(asked_at=began)
    assert await deciding.position() == "other"
    assert (await deciding.row())["cause"] == "timeout"
    assert len(deciding.model.asked) == 1


def test_a_try_is_over_before_its_activity_is_given_up() -> None:
    assert LONGEST + GRACE <= DECIDE_TIMEOUT


async def test_time_is_counted_from_when_it_can_be_asked(deciding: Deciding) -> None:
    await deciding.begin()
    deciding.world.now += 5 * WITHIN  # held, say: its workflow asks anew when that is over
    await deciding.decide()
    assert await deciding.position() == "rest"


async def test_an_answer_that_names_no_path_is_asked_for_again(deciding: Deciding) -> None:
    deciding.model = ScriptedModel(says("hot or so"), says("Warm"))
    await deciding.begin()
    await deciding.decide()
    assert await deciding.position() == "warm"
    assert "'Hot' or 'Warm'" in deciding.model.asked[1].user


@pytest.mark.parametrize(
    "answer",
    [
        says("otherwise"),
        says("1"),
        says(confidence=1.5),
        says(reason="x" * (LONGEST_SAID + 1)),
        {"path": "Hot"},
        "Hot, I think",
    ],
)
async def test_answers_out_of_shape_lead_to_otherwise(deciding: Deciding, answer: Any) -> None:
    deciding.model = ScriptedModel(answer)
    await deciding.begin()
    await deciding.decide()
    assert await deciding.position() == "other"
    assert (await deciding.row())["cause"] == "failed"


async def test_a_long_reason_is_cut_and_is_one_line(deciding: Deciding) -> None:
    deciding.model = ScriptedModel(says(reason="a\n\x1b[31mb\u202e" + "x" * 900))
    await deciding.begin()
    await deciding.decide()
    reason = (await deciding.row())["reason"]
    assert len(reason) <= LONGEST_REASON
    assert reason.startswith("a [31mbxxx")


async def test_of_an_account_of_which_nothing_is_known_nobody_is_asked(deciding: Deciding) -> None:
    await deciding.begin(
        JOURNEY.replace("start: hello", "start: triage").replace("  hello:", "  # hello:"),
        accounts="account_id,name\nacme,Acme\n",
        people="person_id,email\nx,x@x.example\n",
    )
    await deciding.decide()
    assert await deciding.position() == "other"
    assert (await deciding.row())["cause"] == "missing-data"
    assert deciding.model.asked == []


@pytest.mark.parametrize(
    ("people", "score"),
    [
        ("person_id,email,job_title,account_id\nx,x@x.example,Chief Technology Officer,acme\n", 0),
        ("person_id,email,account_id,roles\nx,x@x.example,acme,champion\n", 0),
        ("person_id,email,account_id\nx,x@x.example,acme\n", 80),
        ("person_id,email,unsubscribed,account_id\nx,x@x.example,true,acme\n", 0),
    ],
    ids=["job level", "role", "engagement", "unsubscribed"],
)
async def test_whatever_is_known_of_a_person_is_something_to_decide_by(
    deciding: Deciding, people: str, score: int
) -> None:
    await deciding.begin(
        JOURNEY.replace("start: hello", "start: triage").replace("  hello:", "  # hello:"),
        accounts="account_id,name\nacme,Acme\n",
        people=people,
    )
    await deciding.world.engage.execute(
        "insert into engagement_people (person_id, score) select id, $1 from people", score
    )
    await deciding.decide()
    assert await deciding.position() == "rest"
    assert len(deciding.model.asked) == 1


async def test_a_worker_killed_before_it_noted_the_answer_is_given_it_again(
    deciding: Deciding,
) -> None:
    await deciding.begin()

    async def killed(question: PathQuestion, at: Any) -> Choice:
        await choose(deciding.asker, question, at)
        raise Death

    with pytest.raises(Death):
        await deciding.decide(choose=killed)
    # what has happened since does not make it another question
    await deciding.world.happen("form_filled", person="ann", form="meeting")
    await deciding.decide()
    assert await deciding.position() == "rest"
    assert len(deciding.model.asked) == 1


async def test_a_worker_killed_before_it_recorded_the_path_asks_nobody(deciding: Deciding) -> None:
    deciding.settings = replace(deciding.settings, keep_answers=timedelta(0))
    await deciding.begin()

    with pytest.raises(Death):
        await deciding.decide(now=dying_with_the_answer(deciding))
    assert await deciding.position() == "triage"
    assert (await deciding.row())["path"] == "Hot"
    deciding.settings = replace(deciding.settings, features=frozenset())
    await deciding.decide()
    assert await deciding.position() == "rest"
    assert len(deciding.model.asked) == 1


async def test_a_process_that_asking_kills_each_time_is_not_killed_for_ever(
    deciding: Deciding,
) -> None:
    await deciding.begin()

    async def kills(question: PathQuestion, at: Any) -> Choice:
        raise Death

    for _ in range(MOST_TRIES):
        with pytest.raises(Death):
            await deciding.decide(choose=kills)
    await deciding.decide(choose=kills)
    assert await deciding.position() == "other"
    assert (await deciding.row())["cause"] == "failed"


OPPORTUNITIES = "opportunity_id,account_id,name,stage\no,acme,Deal,open\n"


async def test_facts_that_cannot_be_told_hold_nobody_beyond_the_time(deciding: Deciding) -> None:
    await deciding.begin(opportunities=OPPORTUNITIES)
    began = deciding.world.now
    # as no import would leave it
    await deciding.world.engage.execute(
        "update opportunities set attributes = attributes || '{\"is_closed\": 7}'"
    )
    deciding.world.now += WITHIN - timedelta(seconds=1)
    with pytest.raises(ValidationError):
        await deciding.decide(asked_at=began)
    assert await deciding.position() == "triage"
    deciding.world.now += timedelta(seconds=1)
    await deciding.decide(asked_at=began)
    assert await deciding.position() == "other"
    row = await deciding.row()
    assert (row["cause"], row["reason"]) == ("failed", f"{UNTOLD} (ValidationError)")
    assert deciding.model.asked == []


async def claimed_by_another_release(deciding: Deciding) -> None:
    """Leave facts that this one cannot read."""
    await deciding.world.engage.execute("update decisions set facts = facts || '{\"mood\": 1}'")


async def test_facts_claimed_by_another_release_hold_nobody_beyond_the_time(
    deciding: Deciding,
) -> None:
    deciding.model = ScriptedModel(TimeoutError())
    await deciding.begin()
    began = deciding.world.now
    with pytest.raises(NotDecidedYet):
        await deciding.decide()
    await claimed_by_another_release(deciding)
    with pytest.raises(ValidationError):
        await deciding.decide(asked_at=began)
    deciding.world.now += WITHIN
    await deciding.decide(asked_at=began)
    assert await deciding.position() == "other"
    assert (await deciding.row())["cause"] == "failed"


async def test_an_answer_counts_whatever_release_claimed_its_facts(deciding: Deciding) -> None:
    await deciding.begin()

    with pytest.raises(Death):
        await deciding.decide(now=dying_with_the_answer(deciding))
    await claimed_by_another_release(deciding)
    await deciding.decide()
    assert await deciding.position() == "rest"


async def test_asking_again_what_was_recorded_asks_nobody(deciding: Deciding) -> None:
    await deciding.begin()
    decided = await deciding.decide()
    again = await deciding.decide(step_no=decided.outcomes[0].step_no)
    assert again.outcomes == decided.outcomes
    assert len(deciding.model.asked) == 1


async def test_two_tries_at_once_decide_once(deciding: Deciding) -> None:
    deciding.model = ScriptedModel(says("Hot"), says("Warm"))
    deciding.settings = replace(deciding.settings, keep_answers=timedelta(0))
    await deciding.begin()
    step_no = (await deciding.world.state(deciding.traversal)).step_no
    one, other = await asyncio.gather(
        deciding.decide(step_no=step_no), deciding.decide(step_no=step_no)
    )
    assert one.outcomes == other.outcomes
    row = await deciding.row()
    assert row["edge"] == {"Hot": "1", "Warm": "2"}[row["path"]]
    assert one.outcomes[0].edge == row["edge"]


async def test_the_first_answer_counts_also_for_a_try_that_has_another(deciding: Deciding) -> None:
    await deciding.begin()

    async def slower(question: PathQuestion, at: Any) -> Choice:
        with pytest.raises(Death):
            await deciding.decide(now=dying_with_the_answer(deciding))
        return Choice("Warm", 0.8, "another", "d", "m")

    await deciding.decide(choose=slower)
    row = await deciding.row()
    assert (row["path"], row["edge"], row["confidence"]) == ("Hot", "1", 0.9)
    assert await deciding.position() == "rest"


async def test_a_stopping_worker_asks_nothing_more(deciding: Deciding) -> None:
    await deciding.begin()
    with pytest.raises(NotDecidedYet):
        await deciding.decide(stopping=lambda: True)
    assert deciding.model.asked == []


async def test_nothing_is_asked_while_the_journey_is_paused(deciding: Deciding) -> None:
    await deciding.begin()
    engage = deciding.world.engage
    await engage.execute("update journeys set paused_at = now()")
    held = await deciding.decide()
    assert held.held_until is not None
    assert await engage.fetchval("select count(*) from decisions") == 0
    await engage.execute("update journeys set paused_at = null")
    await deciding.decide()
    assert await deciding.position() == "rest"


async def test_nothing_is_asked_while_sending_is_halted(deciding: Deciding) -> None:
    await deciding.begin()
    world = deciding.world
    await halting.halt(world.engage, world.now, "x", None)
    held = await deciding.decide()
    assert held.held_until is not None
    assert deciding.model.asked == []


async def test_a_pause_between_claim_and_asking_keeps_it_from_being_asked(
    deciding: Deciding, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deciding.begin()

    async def behind_a_pause(ask: Any) -> Any:
        await deciding.world.engage.execute("update journeys set paused_at = now()")
        return await last_word(ask)

    monkeypatch.setattr(campaigns_deciding, "last_word", behind_a_pause)
    held = await deciding.decide()
    assert held.held_until is not None
    assert deciding.model.asked == []
    assert (await deciding.row())["tries"] == 0


async def test_a_traversal_closed_while_the_model_thinks_is_not_led_on(deciding: Deciding) -> None:
    await deciding.begin()

    async def overtaken(question: PathQuestion, at: Any) -> Choice:
        choice = await choose(deciding.asker, question, at)
        await sql.fetch(
            deciding.world.engage, "close_traversals",
            traversal_ids=[deciding.traversal], reason="removed", at=deciding.world.now,
        )  # fmt: skip
        return choice

    decided = await deciding.decide(choose=overtaken)
    assert decided.ended is not None
    assert decided.ended.reason == "removed"
    assert (await deciding.row())["edge"] is None


async def test_the_end_date_overtakes_a_decision(deciding: Deciding) -> None:
    await deciding.begin()

    async def slow(question: PathQuestion, at: Any) -> Choice:
        choice = await choose(deciding.asker, question, at)
        deciding.world.pass_time(days=30)
        return choice

    decided = await deciding.decide(choose=slow)
    assert decided.ended is not None
    assert decided.ended.reason == "end-date"


NEXT = JOURNEY.replace("label: Hot", "label: Cold").replace("wait: 3 days", "wait: 5 days")


async def test_who_is_decided_for_moves_to_the_next_version_behind_the_node(
    deciding: Deciding,
) -> None:
    await deciding.begin()
    world = deciding.world

    async def moved(question: PathQuestion, at: Any) -> Choice:
        await world.publish(world.workspace(NEXT), "trip", Policy(Inside.migrate))
        return await choose(deciding.asker, question, at)

    decided = await deciding.decide(choose=moved, go_on=False)
    assert [one.edge for one in decided.outcomes] == ["1"]
    assert (await world.walk(deciding.traversal)).position == "rest"
    kinds = await world.engage.fetch("select kind from steps order by step_no")
    assert [row["kind"] for row in kinds] == ["store", "decide", "migrate", "store", "wait"]


async def test_who_is_not_asked_for_yet_is_decided_for_by_the_next_version(
    deciding: Deciding,
) -> None:
    deciding.model = ScriptedModel(says("Cold"))
    await deciding.begin()
    world = deciding.world
    await world.publish(world.workspace(NEXT), "trip", Policy(Inside.migrate))
    decided = await deciding.decide()
    assert decided.moved is not None
    await deciding.decide()
    assert await deciding.position() == "rest"
    assert '"Cold"' in deciding.model.asked[0].instructions


async def test_each_visit_is_decided_for_by_itself(deciding: Deciding) -> None:
    again = JOURNEY.replace("rest: {wait: 1 day, end: over}", "rest: {wait: 1 day, next: triage}")
    deciding.model = ScriptedModel(says("Hot"), says("Warm", 0.2))
    await deciding.begin(again)
    await deciding.decide()
    deciding.world.pass_time(days=1)
    await deciding.world.walk(deciding.traversal)
    await deciding.decide()
    assert await deciding.position() == "other"
    rows = await deciding.world.engage.fetch("select visit, edge from decisions order by visit")
    assert [tuple(row) for row in rows] == [(1, "1"), (2, "otherwise")]
