"""What a plan says is what storing and upkeep then do, and asking for it changes nothing."""

from operator import attrgetter
from typing import Any

import pytest

from caravan.campaigns import buying_group_intake, buying_group_upkeep, planning
from caravan.campaigns.planning import Plan
from caravan.journeys.workspace import Workspace
from starter.plan import effect_in_words
from tests.world import World

DATA = {
    "accounts": "account_id,name,industry\na,Acme,Energy\nb,Beta,Energy\nc,Core,Retail\nd,,Energy\n",
    "people": "person_id,email,job_title,account_id\n"
    "a1,a1@x.example,Chief Executive,a\na2,a2@x.example,Engineer,a\na3,a3@x.example,Buyer,a\n"
    "b1,b1@x.example,VP Sales,b\nb2,b2@x.example,Engineer,b\nc1,c1@x.example,Chief Buyer,c\n",
}
DOCUMENTS = """
audience: energy
when: {account: {industry: Energy}}
---
roles_template: team
roles:
  - {role: decision-maker, weight: vital, required: true, when: {person: {job_title: {starts_with: [Chief, VP]}}}}
  - {role: practitioner, required: true, members_required: 3, when: {person: {job_title: Engineer}}}
---
stage_model: sales
stages:
  - {stage: open, entry: true, to: [engaged]}
  - {stage: engaged, to: [won]}
  - {stage: won, success: true}
---
solution_interest: grid
roles_template: team
stage_model: sales
---
buying_groups: grid-energy
solution_interest: grid
audience: energy
"""
TABLES = [
    "roles_templates",
    "template_roles",
    "stage_models",
    "solution_interests",
    "buying_group_jobs",
    "score_models",
    "buying_groups",
    "buying_group_members",
    "buying_group_history",
    "buying_group_questions",
    "journeys",
    "plans",
    "campaigns",
    "audience_members",
    "audience_copies",
    "activities",
    "changes",
    "engagement_scales",
    "engagement_people",
]


async def contents(world: World) -> dict[str, list[Any]]:
    found = {name: await world.engage.fetch(f"select * from {name}") for name in TABLES}
    for name in ("audiences", "audience_members", "changes"):
        found[f"platform {name}"] = await world.platform.fetch(f"select * from {name}")
    return {name: sorted(map(repr, rows)) for name, rows in found.items()}


async def planned(world: World, workspace: Workspace) -> Plan:
    before = await contents(world)
    found = await planning.plan(world.engage, world.platform, workspace, world.now)
    assert await contents(world) == before
    return found


async def applied(world: World, workspace: Workspace) -> None:
    await world.store(workspace)
    while await buying_group_intake.bring_in_page(
        world.engage, world.platform, world.plans, world.now
    ):
        pass
    await world.follow()
    while await buying_group_upkeep.keep_page(world.engage, world.plans, world.now):
        pass


async def members(world: World) -> dict[tuple[str, str], str]:
    rows = await world.engage.fetch(
        "select a.external_id as account, p.external_id as person, m.role from buying_group_members m"
        " join buying_groups g on g.id = m.group_id join accounts a on a.id = g.account_id"
        " join people p on p.id = m.person_id where m.removed_at is null"
    )
    return {(row["account"], row["person"]): row["role"] for row in rows}


@pytest.fixture
async def begun(world: World) -> World:
    """The documents are applied, and the groups of a and b made."""
    workspace = world.workspace(DOCUMENTS)
    await world.load(workspace, **DATA)
    await applied(world, workspace)
    assert len(await members(world)) == 4
    return world


async def test_first_plan_tells_what_is_new_and_who_comes(world: World) -> None:
    workspace = world.workspace(DOCUMENTS)
    await world.load(workspace, **DATA)
    found = await planned(world, workspace)
    assert {(one.kind, one.slug, one.change) for one in found.documents} == {
        ("roles_template", "team", "new"),
        ("stage_model", "sales", "new"),
        ("score_model", "default", "new"),
        ("solution_interest", "grid", "new"),
        ("buying_groups", "grid-energy", "new"),
    }
    # who has no name never comes in
    assert found.to_come == {"grid-energy": 2}
    assert not found.is_empty


async def test_plan_before_there_is_a_subscription_is_the_first_one(world: World) -> None:
    workspace = world.workspace(DOCUMENTS + JOURNEY)
    first = planning.first(workspace)
    found = await planned(world, workspace)
    key = attrgetter("kind", "slug")
    assert sorted(first.documents, key=key) == sorted(found.documents, key=key)
    assert first.journeys == found.journeys


async def test_plan_of_what_is_applied_already_is_empty(begun: World) -> None:
    found = await planned(begun, begun.workspace(DOCUMENTS))
    assert found.is_empty
    assert found.effects == {}
    assert found.documents == ()


async def test_changed_template_tells_whom_it_moves_and_upkeep_moves_them(begun: World) -> None:
    changed = DOCUMENTS.replace("[Chief, VP]", "Chief").replace(
        "job_title: Engineer", "job_title: {starts_with: [Engineer, Buyer, VP]}"
    ).replace("members_required: 3", "members_required: 1")  # fmt: skip
    workspace = begun.workspace(changed)
    found = await planned(begun, workspace)
    [template] = found.documents
    assert (template.change, template.version) == ("changed", 2)
    assert template.words == (
        "decision-maker: another condition",
        "practitioner: people needed 1 (was 3)",
        "practitioner: another condition",
    )
    effect = found.effects["grid"]
    assert (effect.added, effect.changed, effect.removed) == (1, 1, 0)
    assert (effect.made, effect.other_roles, effect.other_stages) == (0, 2, 0)
    before = await members(begun)
    await applied(begun, workspace)
    after = await members(begun)
    assert len(after.keys() - before.keys()) == effect.added
    assert sum(before[one] != after[one] for one in before.keys() & after.keys()) == effect.changed


async def test_other_numbers_of_people_needed_tell_how_completeness_moves(begun: World) -> None:
    """Of a there are a chief and an engineer; b lacks nobody else either."""
    for needed, moved in (("1", (2, 0)), ("10", (0, 2))):
        workspace = begun.workspace(
            DOCUMENTS.replace("members_required: 3", f"members_required: {needed}")
        )
        effect = (await planned(begun, workspace)).effects["grid"]
        assert (effect.more_complete, effect.less_complete) == moved
        assert (effect.added, effect.changed, effect.removed) == (0, 0, 0)
        what = "more" if needed == "1" else "less"
        assert f"2 groups {what} complete" in effect_in_words(effect)


async def test_plan_leaves_those_a_user_has_put_or_taken_out(begun: World) -> None:
    await begun.engage.execute(
        "update buying_group_members set source = 'manual' where role = 'practitioner'"
    )
    none_fits = begun.workspace(DOCUMENTS.replace("job_title: Engineer", "job_title: Nobody"))
    found = await planned(begun, none_fits)
    assert found.effects["grid"].removed == 0
    await begun.engage.execute("update buying_group_members set source = 'job'")
    assert (await planned(begun, none_fits)).effects["grid"].removed == 2


async def test_groups_on_a_stage_that_goes_are_told(begun: World) -> None:
    await begun.engage.execute(
        "update buying_groups set stage = 'engaged', stage_at = $1", begun.now
    )
    model = DOCUMENTS.replace("to: [engaged]", "to: [won]").replace("  - {stage: engaged, to: [won]}\n", "")  # fmt: skip
    found = await planned(begun, begun.workspace(model))
    [change] = found.documents
    assert change.words == ("stage engaged is gone", "open: leads to won (was engaged)")
    assert found.effects["grid"].lacking == {"engaged": 2}
    assert found.effects["grid"].other_stages == 2


async def test_new_rule_of_qualification_tells_whom_it_qualifies(begun: World) -> None:
    rule = DOCUMENTS.replace("stage_model: sales\n---", "stage_model: sales\nqualified: {completeness: {at_least: 60}}\n---")  # fmt: skip
    workspace = begun.workspace(rule)
    found = await planned(begun, workspace)
    [change] = found.documents
    assert change.words == ("qualified completeness at least 60 (was none)",)
    assert found.effects["grid"].qualified == 2  # 1 of 1 and 1 of 3: 66.7
    await applied(begun, workspace)
    assert (
        await begun.engage.fetchval(
            "select count(*) from buying_groups where qualified_at is not null"
        )
        == 2
    )


async def test_wider_audience_tells_the_groups_it_makes(begun: World) -> None:
    await begun.load(
        begun.workspace(DOCUMENTS), accounts="account_id,name,industry\ne,Edge,Retail\n"
    )
    # c is in the engage store for another reason; e is not
    c = await begun.platform.fetchrow("select * from accounts where external_id = 'c'")
    await begun.engage.execute(
        "insert into accounts (id, external_id, attributes) values ($1, 'c', $2)",
        c["id"], c["attributes"],
    )  # fmt: skip
    wider = DOCUMENTS.replace("industry: Energy", "industry: [Energy, Retail]")
    workspace = begun.workspace(wider)
    found = await planned(begun, workspace)
    assert found.effects["grid"].made == 1
    assert found.to_come == {"grid-energy": 1}
    await applied(begun, workspace)
    assert await begun.engage.fetchval("select count(*) from buying_groups") == 4


async def test_job_that_is_gone_says_what_becomes_of_its_groups(begun: World) -> None:
    without = DOCUMENTS[: DOCUMENTS.index("---\nbuying_groups")]
    found = await planned(begun, begun.workspace(without))
    [change] = found.documents
    assert (change.kind, change.change) == ("buying_groups", "gone")
    assert change.words == ("the groups of grid stay; they are kept up no more",)


async def test_job_that_is_back_looks_at_the_groups_it_had(begun: World) -> None:
    without = DOCUMENTS[: DOCUMENTS.index("---\nbuying_groups")]
    await applied(begun, begun.workspace(without))
    other = without.replace("job_title: Engineer", "job_title: Nobody")
    await applied(begun, begun.workspace(other))  # nobody keeps the groups up: nobody leaves
    back = begun.workspace(other + DOCUMENTS[DOCUMENTS.index("---\nbuying_groups") :])
    found = await planned(begun, back)
    assert found.effects["grid"].removed == 2
    before = await members(begun)
    await applied(begun, back)
    assert len(before) - len(await members(begun)) == 2


async def test_score_model_tells_weights_window_and_which_is_active(begun: World) -> None:
    model = DOCUMENTS + "---\nscore_model: own\nweights: {form_filled: 50}\nwindow: 2 weeks\n"
    found = await planned(begun, begun.workspace(model))
    assert [(one.slug, one.change) for one in found.documents] == [
        ("own", "new"),
        ("default", "gone"),
    ]
    begun_with = begun.workspace(model)
    await applied(begun, begun_with)
    changed = begun.workspace(model.replace("form_filled: 50", "form_filled: 40, page_visited: 10").replace("2 weeks", "10 days"))  # fmt: skip
    [change] = (await planned(begun, changed)).documents
    assert change.words == (
        "weight of form_filled 40 (was 50)",
        "weight of page_visited 10 (was 0)",
        "days of the window 10 (was 14)",
    )


JOURNEY = """---
journey: trip
audience: energy
schedule: {end: 30 days}
start: rest
nodes:
  rest: {wait: 1 day}
"""


async def test_journeys_are_told_new_unchanged_changed_and_left(begun: World) -> None:
    first = begun.workspace(DOCUMENTS + JOURNEY)
    assert [(one.slug, one.change) for one in (await planned(begun, first)).journeys] == [("trip", "new")]  # fmt: skip
    await begun.publish(first, "trip")
    assert (await planned(begun, first)).is_empty
    second = begun.workspace(DOCUMENTS + JOURNEY.replace("1 day", "2 days"))
    [journey] = (await planned(begun, second)).journeys
    assert (journey.change, journey.version) == ("changed", 2)
    [left] = (await planned(begun, begun.workspace(DOCUMENTS))).journeys
    assert left.change == "left"


async def test_pages_are_added_up(begun: World, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = begun.workspace(DOCUMENTS.replace("job_title: Engineer", "job_title: Nobody"))
    whole = await planned(begun, changed)
    monkeypatch.setattr("caravan.buying_groups.planning.PAGE", 1)
    assert (await planned(begun, changed)).effects == whole.effects
    assert whole.effects["grid"].removed == 2
