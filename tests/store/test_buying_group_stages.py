"""Stages move along their model, statuses are any text; both keep their history."""

import pytest

from caravan.buying_groups import stages
from tests.grouping import STAGES, Documents, Grouping
from tests.world import World


@pytest.fixture
async def group(world: World) -> tuple[Grouping, int]:
    grouping = Grouping(world)
    await grouping.store(Documents())
    await grouping.people(a="Chief")
    return grouping, await grouping.group("a")


async def move(grouping: Grouping, group_id: int, stage: str) -> stages.Moved:
    grouping.world.pass_time(hours=1)
    async with grouping.world.engage.acquire() as conn, conn.transaction():
        return await stages.set_stage(conn, group_id, stage, "journey", grouping.world.now)


async def test_a_stage_moves_along_the_model_alone(group: tuple[Grouping, int]) -> None:
    grouping, group_id = group
    wanted = ["engaged", "open", "open", "won", "engaged", "lost", "open", "nowhere"]
    reasons = [(await move(grouping, group_id, stage)).reason for stage in wanted]
    no = "not-allowed-transition"
    assert reasons == [no, None, "unchanged", no, None, None, None, no]
    rows = await grouping.world.engage.fetch(
        "select old, new, at, source from buying_group_history where what = 'stage' order by id"
    )
    assert [(row["old"], row["new"]) for row in rows] == [
        (None, "open"),
        ("open", "engaged"),
        ("engaged", "lost"),
        ("lost", "open"),
    ]
    assert {row["source"] for row in rows} == {"journey"}
    assert sorted({row["at"] for row in rows}) == [row["at"] for row in rows]
    assert (await grouping.row(group_id))["stage_at"] == rows[-1]["at"]


async def test_a_move_is_told(group: tuple[Grouping, int]) -> None:
    grouping, group_id = group
    await move(grouping, group_id, "open")
    moved = await move(grouping, group_id, "engaged")
    assert [(one.type, one.fields, one.person_id) for one in moved.happenings] == [
        (
            "buying_group_stage_changed",
            {"solution_interest": "grid", "from": "open", "to": "engaged"},
            None,
        )
    ]


async def test_without_a_model_there_are_no_stages(group: tuple[Grouping, int]) -> None:
    grouping, group_id = group
    await grouping.world.engage.execute("update buying_groups set stage_model_id = null")
    assert (await move(grouping, group_id, "open")).reason == "not-allowed-transition"


async def test_a_stage_that_the_model_no_longer_has_is_like_none(
    group: tuple[Grouping, int],
) -> None:
    grouping, group_id = group
    await grouping.world.engage.execute("update buying_groups set stage = 'gone by now'")
    assert (await move(grouping, group_id, "engaged")).reason == "not-allowed-transition"
    assert (await move(grouping, group_id, "open")).reason is None
    assert STAGES.allows("gone by now", "open")


async def test_a_status_is_any_text_and_can_be_cleared(group: tuple[Grouping, int]) -> None:
    grouping, group_id = group
    seen = []
    for status in ("warm", "warm", "", None, "cold"):
        async with grouping.world.engage.acquire() as conn, conn.transaction():
            moved = await stages.set_status(conn, group_id, status, "manual", grouping.world.now)
        seen.append((moved.reason, [one.fields["to"] for one in moved.happenings]))
    assert seen == [
        (None, ["warm"]),
        ("unchanged", []),
        (None, [None]),
        ("unchanged", []),
        (None, ["cold"]),
    ]
