"""What journeys do to buying groups, and whom an action with ``top`` is for."""

from decimal import Decimal
from typing import Any

import pytest

from caravan.delivery.capture import CaptureTransport
from caravan.delivery.errors import RelayUnreachable
from tests.grouping import Grouping
from tests.store import test_actions
from tests.world import World

GROUPS = """
roles_template: team
roles: [{role: chief, required: true, members_required: 3}, {role: champion}]
---
stage_model: sales
stages: [{stage: open, entry: true, to: [won]}, {stage: won, success: true}]
---
solution_interest: grid
roles_template: team
stage_model: sales
---
journey: main
audience: everyone
schedule: {end: 90 days}
start: act
nodes:
  act: {do: [ACTIONS], next: rest}
  rest: {wait: 80 days}
"""

DATA = {
    "accounts": "account_id,name\na,Acme\n",
    "people": "person_id,email,first_name,country,account_id\n"
    "p,p@a.example,Pia,SE,a\nq,q@a.example,Quy,SE,a\nr,r@a.example,Rut,NO,a\n",
}


async def begin(world: World, *actions: str, group: bool = True) -> tuple[int, Grouping]:
    """An account in a journey that does these; returns its traversal, not yet walked."""
    workspace = world.workspace(GROUPS.replace("ACTIONS", ", ".join(actions)), ("hi", "ho"))
    await world.load(workspace, **DATA)
    journey = await world.publish(workspace, "main")
    grouping = Grouping(world)
    await grouping.store(workspace)
    [traversal] = await world.enter(journey)
    if group:
        await grouping.group("a")
    return traversal, grouping


async def effects(world: World, traversal: int) -> list[tuple[str, str | None, str | None]]:
    """Action by action, by the ids people have outside."""
    rows = await test_actions.effects(world, traversal)
    order = list(dict.fromkeys(kind for kind, _, _ in rows))
    return sorted(rows, key=lambda row: (order.index(row[0]), str(row[1])))


async def engaged(world: World, **scores: float) -> None:
    for person, score in scores.items():
        await world.engage.execute(
            "insert into engagement_people (person_id, score) select id, $2 from people where external_id = $1"
            " on conflict (person_id) do update set score = excluded.score",
            person, Decimal(score),
        )  # fmt: skip


async def test_people_are_given_a_role_by_the_journey(world: World) -> None:
    assign = "{assign_to_buying_group: {solution_interest: grid, role: chief, who: {person: {country: SE}}}}"
    traversal, grouping = await begin(world, assign)
    group = await grouping.group("a")
    await grouping.assign(group, "champion", "manual", "q")
    await world.walk(traversal)
    assert await effects(world, traversal) == [
        ("assign_to_buying_group", "p", None),
        ("assign_to_buying_group", "q", "manual-member"),
    ]
    assert await grouping.members(group) == {
        "p": ("chief", "journey", False),
        "q": ("champion", "manual", False),
    }
    assert round((await grouping.row(group))["completeness"], 20) == round(Decimal(100) / 3, 20)


async def test_people_leave_where_nobody_above_has_put_them(world: World) -> None:
    traversal, grouping = await begin(
        world, "{remove_from_buying_group: {solution_interest: grid}}"
    )
    group = await grouping.group("a")
    await grouping.assign(group, "chief", "job", "p")
    await grouping.assign(group, "chief", "manual", "q")
    await world.walk(traversal)
    assert [reason for _, _, reason in await effects(world, traversal)] == [
        None, "manual-member", "not-member",
    ]  # fmt: skip
    assert (await grouping.members(group))["p"] == ("chief", "journey", True)


async def test_role_is_kept_by_whoever_has_it(world: World) -> None:
    assign = "{assign_to_buying_group: {solution_interest: grid, role: chief}}"
    traversal, _ = await begin(world, assign, assign)
    await world.walk(traversal)
    reasons = [reason for _, _, reason in await test_actions.effects(world, traversal)]
    assert reasons == [None] * 3 + ["already-member"] * 3


async def test_stage_moves_along_the_model_and_else_says_why(world: World) -> None:
    def to(stage: str) -> str:
        return f"{{update_buying_group_stage: {{solution_interest: grid, stage: {stage}}}}}"

    traversal, grouping = await begin(world, to("won"), to("open"), to("open"), to("won"))
    await world.walk(traversal)
    reasons = [reason for _, _, reason in await test_actions.effects(world, traversal)]
    assert reasons == ["not-allowed-transition", None, "unchanged", None]
    assert (await grouping.row(await grouping.group("a")))["stage"] == "won"
    history = await world.engage.fetch("select new, source from buying_group_history order by id")
    assert [tuple(row) for row in history] == [("open", "journey"), ("won", "journey")]


async def test_status_is_a_text_of_the_account_s_data_and_is_cut(world: World) -> None:
    long = "{% for n in (1..9) %}{{ account.name }} and {% endfor %}"
    traversal, grouping = await begin(
        world,
        '{update_buying_group_status: {solution_interest: grid, status: "{{ account.name }} is hot"}}',
    )
    await world.walk(traversal)
    group = await grouping.group("a")
    assert (await grouping.row(group))["status"] == "Acme is hot"
    # another journey
    other = GROUPS.replace("journey: main", "journey: other").replace(
        "ACTIONS",
        f'{{update_buying_group_status: {{solution_interest: grid, status: "{long}"}}}},'
        " {update_buying_group_status: {solution_interest: grid, status: null}}",
    )
    workspace = world.workspace(other, ("hi", "ho"))
    [second] = await world.enter(await world.publish(workspace, "other"))
    await world.walk(second)
    history = await world.engage.fetch("select new from buying_group_history order by id")
    assert [row["new"] for row in history] == ["Acme is hot", ("Acme and " * 9)[:50].strip(), None]


@pytest.mark.parametrize(
    "action",
    [
        "update_buying_group_stage: {solution_interest: grid, stage: open}",
        "update_buying_group_status: {solution_interest: grid, status: hot}",
        "assign_to_buying_group: {solution_interest: grid, role: chief, top: {1: engagement}}",
        "remove_from_buying_group: {solution_interest: grid, top: {1: engagement}}",
    ],
)
async def test_account_without_a_group_goes_on(world: World, action: str) -> None:
    traversal, _ = await begin(world, f"{{{action}}}", group=False)
    assert (await world.walk(traversal)).position == "rest"
    assert [reason for _, _, reason in await effects(world, traversal)] == ["no-buying-group"]


@pytest.mark.parametrize(
    ("scores", "top", "who", "people"),
    [
        ({"q": 50, "r": 80}, 1, "{}", "r"),
        ({"q": 50, "r": 80}, 2, "{}", "qr"),
        ({"r": 80}, 2, "{}", "pr"),  # nobody's is 0, and the first by id wins a tie
        ({"q": 50, "r": 80}, 1, "{person: {country: SE}}", "q"),
        ({"p": 50, "q": 50, "r": 50}, 1, "{}", "p"),
        ({}, 9, "{}", "pqr"),
        ({"q": 50}, 2, "{person: {country: FI}}", ""),
    ],
)
async def test_top_are_the_most_engaged_of_those_the_action_is_for(
    world: World, scores: dict[str, float], top: int, who: str, people: str
) -> None:
    narrowed = f"who: {who}, top: {{{top}: engagement}}"
    traversal, _ = await begin(
        world,
        f"{{send_email: {{template: hi, {narrowed}}}}}",
        f"{{person_interesting_moment: {{type: web, {narrowed}}}}}",
    )
    await engaged(world, **scores)
    await world.walk(traversal)
    done = await effects(world, traversal)
    for action in ("send_email", "person_interesting_moment"):
        assert "".join(str(one) for kind, one, _ in done if kind == action) == people


class Away(CaptureTransport):
    """A relay that cannot be reached."""

    def session(self) -> Any:
        raise RelayUnreachable("away")


async def test_retry_mails_those_who_were_the_most_engaged_at_first(world: World) -> None:
    traversal, _ = await begin(
        world, "{send_email: {template: hi, who: {person: {country: SE}}, top: {1: engagement}}}"
    )
    await engaged(world, q=50)
    relay, world.transport = world.transport, Away()
    with pytest.raises(RelayUnreachable):
        await world.walk(traversal)
    assert [row["state"] for row in await world.ledger()] == ["claimed"]
    await engaged(world, p=90, q=0)
    world.transport = relay
    await world.walk(traversal)
    assert world.mailed() == [("hi", "q@a.example")]
    assert await effects(world, traversal) == [("send_email", "q", None)]


async def test_plan_that_names_no_top_is_named_as_before(world: World) -> None:
    workspace = world.workspace(GROUPS.replace("ACTIONS", "{send_email: {template: hi}}"), ("hi",))
    [action] = workspace.journeys["main"].nodes["act"].model_dump()["actions"]
    assert set(action) == {"kind", "template", "who"}
