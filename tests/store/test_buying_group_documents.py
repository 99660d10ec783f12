"""Documents of buying groups are stored in versions, and jobs come and go with the workspace."""

from dataclasses import replace

import pytest

from caravan.buying_groups import storing
from caravan.journeys.documents.buying_groups import BuyingGroupsDocument
from caravan.journeys.documents.roles_template import TemplateRole
from caravan.journeys.documents.score_model import DEFAULT_WEIGHTS, ScoreModelDocument
from tests.grouping import GRID, TEAM, Documents, Grouping, titled
from tests.world import World


@pytest.fixture
def grouping(world: World) -> Grouping:
    return Grouping(world)


async def test_the_same_again_is_nothing_and_a_change_a_version(grouping: Grouping) -> None:
    first = await grouping.store(Documents())
    assert [(one.kind, one.slug, one.version) for one in first.versions] == [
        ("roles_template", "team", 1),
        ("stage_model", "stages", 1),
        ("score_model", "default", 1),
    ]
    assert await grouping.store(Documents()) == storing.Stored((), ())
    more = TEAM.model_copy(update={"roles": (*TEAM.roles, TemplateRole(role="other"))})
    second = await grouping.store(Documents(roles_templates={"team": more}))
    assert [(one.kind, one.slug, one.version) for one in second.versions] == [
        ("roles_template", "team", 2)
    ]
    kept = await grouping.world.engage.fetch(
        "select t.version, count(*) as roles from roles_templates t"
        " join template_roles r on r.template_id = t.id group by t.version order by t.version"
    )
    assert [tuple(row) for row in kept] == [(1, 3), (2, 4)]


async def test_exactly_one_score_model_is_active(grouping: Grouping) -> None:
    await grouping.store(Documents())
    own = ScoreModelDocument(score_model="own", weights={"form_filled": 80})
    for models, active in (
        ({"own": own}, "own"),
        ({}, "default"),
        (
            {"own": own, "old": own.model_copy(update={"score_model": "old", "active": False})},
            "own",
        ),
    ):
        await grouping.store(Documents(score_models=models))
        rows = await grouping.world.engage.fetch("select slug, body from score_models where active")
        assert [row["slug"] for row in rows] == [active]
        assert rows[0]["body"]["weights"] == (
            DEFAULT_WEIGHTS if active == "default" else own.weights
        )


async def test_what_groups_go_by_puts_their_accounts_in_question(grouping: Grouping) -> None:
    await grouping.store(Documents())
    await grouping.people(a="Chief", b="Chief")
    await grouping.group("a")
    questions = "select count(*) from buying_group_questions"
    assert await grouping.world.engage.fetchval(questions) == 0
    changed = GRID.model_copy(update={"stage_model": None})
    await grouping.store(Documents(solution_interests={"grid": changed}))
    assert await grouping.world.engage.fetchval(questions) == 1
    retitled = TemplateRole(role="decision-maker", required=True, when=titled("Head"))
    template = TEAM.model_copy(update={"roles": (retitled, *TEAM.roles[1:])})
    again = Documents(solution_interests={"grid": changed}, roles_templates={"team": template})
    await grouping.store(again)
    assert await grouping.world.engage.fetchval(questions) == 2
    await grouping.store(again)
    assert await grouping.world.engage.fetchval(questions) == 2


async def test_a_job_that_is_gone_is_closed_and_may_come_back(grouping: Grouping) -> None:
    world, documents = grouping.world, Documents()
    await grouping.store(documents)
    await world.engage.execute("update buying_group_jobs set flow_at = now()")
    assert (await grouping.store(replace(documents, buying_group_jobs={}))).closed == ("all",)
    assert (await grouping.store(replace(documents, buying_group_jobs={}))).closed == ()
    open_jobs = "select slug, flow_at, asks from buying_group_jobs where deleted_at is null"
    assert await world.engage.fetch(open_jobs) == []
    await grouping.store(documents)
    (row,) = await world.engage.fetch(open_jobs)
    assert tuple(row) == ("all", None, ["person_changed"])  # it brings its accounts in anew


async def test_a_job_of_another_audience_brings_its_accounts_in(grouping: Grouping) -> None:
    world = grouping.world
    await grouping.store(Documents())
    await world.engage.execute("update buying_group_jobs set flow_at = now()")
    await grouping.store(Documents())
    assert await world.engage.fetchval("select flow_at is not null from buying_group_jobs")
    other = BuyingGroupsDocument(buying_groups="all", solution_interest="grid", audience="others")
    await grouping.store(Documents(buying_group_jobs={"all": other}))
    assert await world.engage.fetchval("select flow_at is null from buying_group_jobs")
