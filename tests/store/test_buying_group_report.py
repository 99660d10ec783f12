"""The report of buying groups, against groups whose past is known."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caravan.buying_groups.report import Report, report
from caravan.engage import sql
from starter import buying_group_show, group_rows
from tests.groups import Groups
from tests.world import World


def days(number: float) -> timedelta:
    return timedelta(days=number)


async def reported(
    world: World,
    start: datetime | None = None,
    end: datetime | None = None,
    interest: str | None = None,
) -> Report:
    async with world.engage.acquire() as conn:
        return await report(conn, start or world.now - days(30), end or world.now, interest, top=3)


@pytest.fixture
async def groups(world: World) -> Groups:
    made = Groups(world.engage, world.now)
    await made.open("grid", "storage")
    return made


def accounts(rows: Any) -> list[str]:
    return [row["account"] for row in rows]


async def test_score_on_an_edge_is_in_the_band_it_begins(world: World, groups: Groups) -> None:
    for number, score in enumerate(("0", "24.999", "25", "50", "74.9", "75", "100")):
        await groups.group(f"a{number}", completeness=score, engagement="100")
    told = await reported(world)
    assert [row["completeness"] for row in told.bands] == [2, 1, 2, 2]
    assert [row["engagement"] for row in told.bands] == [0, 0, 0, 7]


async def test_stages_are_told_at_both_ends_of_the_period(world: World, groups: Groups) -> None:
    await groups.group("stays", stages=(("open", days(60)),))
    await groups.group("moved", stages=(("open", days(60)), ("engaged", days(10))))
    await groups.group("new", created_at=world.now - days(5), stages=(("open", days(4)),))
    await groups.group("blank")
    told = await reported(world)
    counts = {
        row["stage"]: (row["at_start"], row["at_end"])
        for row in told.stages
        if row["solution_interest"] == "grid"
    }
    assert counts == {
        None: (1, 1), "open": (2, 2), "engaged": (0, 1), "ready": (0, 0), "lost": (0, 0),
    }  # fmt: skip
    assert list(counts) == [None, "open", "engaged", "ready", "lost"]  # the model's order
    earlier = await reported(world, world.now - days(90), world.now - days(20))
    assert [(row["at_start"], row["at_end"]) for row in earlier.stages[:3]] == [
        (3, 1), (0, 2), (0, 0),
    ]  # fmt: skip


@settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    pasts=st.lists(
        st.lists(st.integers(0, 20), min_size=0, max_size=4, unique=True), min_size=1, max_size=4
    ),
    start=st.integers(2, 20),
    period=st.integers(1, 2),
)
async def test_stage_at_an_instant_is_that_of_the_last_change_up_to_it(
    world: World, groups: Groups, pasts: list[list[int]], start: int, period: int
) -> None:
    await world.engage.execute("truncate buying_groups cascade")
    cycle = ("open", "engaged", "lost")
    expected: dict[str | None, list[int]] = {}
    for number, past in enumerate(pasts):
        changes = [(cycle[n % 3], ago) for n, ago in enumerate(sorted(past, reverse=True))]
        await groups.group(f"a{number}", stages=tuple((stage, days(ago)) for stage, ago in changes))
        for edge, at in enumerate((start, start - period)):
            stage = next((name for name, ago in reversed(changes) if ago >= at), None)
            expected.setdefault(stage, [0, 0])[edge] += 1
    told = await reported(world, world.now - days(start), world.now - days(start - period), "grid")
    got = {row["stage"]: [row["at_start"], row["at_end"]] for row in told.stages}
    assert {stage: counts for stage, counts in got.items() if any(counts)} == expected


async def test_fastest_have_most_moves_and_then_the_shortest(world: World, groups: Groups) -> None:
    await groups.group(
        "two-slow", stages=(("open", days(50)), ("engaged", days(29)), ("ready", days(1)))
    )
    await groups.group(
        "two-fast", stages=(("open", days(12)), ("engaged", days(11)), ("ready", days(10)))
    )
    await groups.group("one", stages=(("open", days(9)), ("engaged", days(8))))
    await groups.group("lost", stages=(("open", days(5)), ("lost", days(4))))
    await groups.group("begun", stages=(("open", days(3)),))
    await groups.group("long-ago", stages=(("open", days(99)), ("engaged", days(98))))
    told = await reported(world)
    assert [(row["account"], row["moves"], row["took"]) for row in told.fastest] == [
        ("two-fast", 2, days(1)),
        ("two-slow", 2, days(24.5)),
        ("one", 1, days(1)),
    ]


async def test_page_of_a_group_and_report_say_the_same_of_its_velocity(
    world: World, groups: Groups
) -> None:
    """A move into a failure is none; what the next one took began with it."""
    group = await groups.group(
        "back",
        stages=(("open", days(20)), ("engaged", days(16)), ("lost", days(9)), ("open", days(7))),
    )
    await groups.group("begun", stages=(("open", days(3)),))
    [row] = (await reported(world)).fastest
    page = await buying_group_show._told(world.engage, str(group), False)
    told = {"moves": 2, "seconds_per_move": 3 * 24 * 3600}
    assert page["velocity"] == group_rows.velocity(row) == told
    other = await buying_group_show._told(world.engage, "begun/grid", False)
    assert other["velocity"] == {"moves": 0, "seconds_per_move": None}


async def test_stagnant_stand_longest_where_they_could_go_on(world: World, groups: Groups) -> None:
    await groups.group(
        "ready", stages=(("open", days(90)), ("engaged", days(85)), ("ready", days(80)))
    )
    await groups.group("lost", stages=(("open", days(90)), ("lost", days(80))))
    await groups.group("new", stages=(("open", days(2)),))
    await groups.group("old", stages=(("open", days(70)),), completeness="90")
    await groups.group("older", stages=(("open", days(99)), ("engaged", days(71))))
    await groups.group("blank")
    told = await reported(world)
    assert accounts(told.stagnant) == ["older", "old", "new"]
    assert accounts((await reported(world, end=world.now - days(82))).stagnant) == [
        "older", "lost", "ready",
    ]  # fmt: skip


async def test_highest_are_by_engagement_and_then_completeness(
    world: World, groups: Groups
) -> None:
    await groups.group("b", engagement="40", completeness="10")
    await groups.group("a", engagement="40", completeness="20")
    await groups.group("c", engagement="40.1")
    await groups.group("d", "storage", engagement="99")
    assert accounts((await reported(world)).highest) == ["d", "c", "a"]
    assert accounts((await reported(world, interest="grid")).highest) == ["c", "a", "b"]


async def test_coverage_counts_what_required_roles_need(world: World, groups: Groups) -> None:
    await groups.group("a", decision_maker=("p1", "p2"), practitioner=("p3", "p4"))
    b = await groups.group("b", practitioner=("p5", "p6", "p7", "p8"), influencer="p9")
    await groups.member(b, "p10", "decision-maker", removed=True)
    await groups.group("c", "storage")
    rows = (await reported(world, interest="grid")).coverage
    assert [tuple(row.values()) for row in rows] == [
        ("grid", "decision-maker", 2, 2, 1, 2, 1),
        ("grid", "practitioner", 2, 6, 5, 6, 0),
        ("grid", "influencer", 2, 1, 0, 0, 1),
    ]


async def test_overlap_has_people_who_are_in_several_groups_now(
    world: World, groups: Groups
) -> None:
    await groups.group("a", decision_maker="both", influencer="left")
    await groups.group("a", "storage", practitioner=("both", "one"), influencer="thrice")
    await groups.group("b", influencer="thrice")
    c = await groups.group("c", influencer=("thrice", "one-removed"))
    await groups.member(c, "one", "influencer", removed=True)
    told = await reported(world)
    assert told.overlapping == 2
    assert [(row["person"], row["groups"]) for row in told.overlap] == [("thrice", 3), ("both", 2)]
    assert told.overlap[0]["named"] == ["a/storage", "b/grid", "c/grid"]
    assert (await reported(world, interest="nothing")).overlapping == 0


async def test_accounts_that_are_gone_are_in_no_part_of_the_report(
    world: World, groups: Groups
) -> None:
    await groups.group(
        "a", engagement="90", stages=(("open", days(9)), ("engaged", days(2))), decision_maker="p"
    )
    await groups.group("a", "storage", decision_maker="p")
    await world.engage.execute("update accounts set deleted_at = $1", world.now)
    told = await reported(world)
    assert not any((told.highest, told.fastest, told.stagnant, told.coverage, told.overlap))
    assert sum(row["completeness"] for row in told.bands) == 0
    assert sum(row["at_end"] for row in told.stages) == 0


@pytest.mark.parametrize("query", ["report_stages", "report_fastest", "report_stagnant"])
async def test_history_is_read_once_and_not_group_by_group(
    world: World, groups: Groups, query: str
) -> None:
    """A report reads sets: no plan may loop over the history once for each group."""
    await world.engage.execute(
        "insert into accounts (id, external_id) select n, 'a' || n from generate_series(1, 3000) n"
    )
    await world.engage.execute(
        "insert into buying_groups (account_id, solution_interest, template_id, stage_model_id, created_at)"
        " select n, 'grid', $1, $2, $3 from generate_series(1, 3000) n",
        groups.template, groups.model, world.now,
    )  # fmt: skip
    await world.engage.execute(
        "insert into buying_group_history (group_id, what, new, at, source)"
        " select id, 'stage', 'open', $1, 'job' from buying_groups",
        world.now,
    )
    await world.engage.execute("analyze")
    values = {
        "solution_interest": None,
        "from": world.now - days(9),
        "to": world.now,
        "top": 5,
        "group_id": None,
    }
    text, order = sql.sql(query), sql._queries[query][1]
    plan = await world.engage.fetchval(
        f"explain (analyze, format json) {text}", *(values[name] for name in order)
    )
    loops = [
        node["Actual Loops"] for node in _nodes(plan[0]["Plan"])
        if node.get("Relation Name") == "buying_group_history"
    ]  # fmt: skip
    assert loops
    assert max(loops) == 1


def _nodes(plan: dict[str, Any]) -> Any:
    yield plan
    for inner in plan.get("Plans", []):
        yield from _nodes(inner)
