"""Listing and exporting buying groups: filters, empty roles, and what a spreadsheet is given."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from caravan.buying_groups import listing
from caravan.buying_groups.completeness import is_told, shown
from caravan.buying_groups.listing import Filters
from starter.group_rows import csv_cells, group_row, harmless
from tests.groups import Groups
from tests.world import World


@pytest.fixture
async def groups(world: World) -> Groups:
    """a complete and qualified, b lacks practitioners, c has nobody; d is another solution interest's."""
    made = Groups(world.engage, world.now)
    await made.open("grid", "storage")
    await made.group(
        "a", completeness="100", engagement="71.5", qualified_at=world.now, status="Hot",
        stages=(("open", timedelta(days=9)), ("engaged", timedelta(days=2))),
        decision_maker="p1", practitioner=("p2", "p3", "p4"), influencer="p5",
    )  # fmt: skip
    b = await made.group(
        "b", completeness="66.6666666666666667", stages=(("open", timedelta(days=3)),),
        decision_maker="p6", practitioner="p7",
    )  # fmt: skip
    await made.member(b, "p8", "influencer", removed=True)
    await made.group("c", engagement="12")
    await made.group("c", "storage", completeness="16.6666666666666667", practitioner="p9")
    return made


async def found(world: World, filters: Filters, limit: int | None = None) -> list[tuple[str, str]]:
    return [
        (row["account"], row["solution_interest"])
        async for row in listing.groups(world.engage, filters, limit)
    ]


@pytest.mark.parametrize(
    ("filters", "accounts"),
    [
        (Filters(solution_interest="grid"), "abc"),
        (Filters(stage="OPEN"), "b"),
        (Filters(status="hot"), "a"),
        (Filters(min_completeness=Decimal(67), solution_interest="grid"), "a"),
        (Filters(min_completeness=Decimal("66.6666666666666667")), "ab"),
        (Filters(max_completeness=Decimal(0)), "c"),
        (Filters(min_engagement=Decimal(12), max_engagement=Decimal("71.5")), "ac"),
        (Filters(qualified=True), "a"),
        (Filters(qualified=False, solution_interest="grid"), "bc"),
        (Filters(unassigned=("decision-maker",)), "cc"),
        (Filters(unassigned=("influencer",)), "bcc"),
        (Filters(unassigned=("influencer", "decision-maker"), solution_interest="grid"), "bc"),
        (Filters(unassigned=("champion",)), ""),
        (Filters(account="c"), "cc"),
        (Filters(roles_template="team", solution_interest="storage"), "c"),
        (Filters(roles_template="other"), ""),
    ],
)
async def test_filters_are_all_to_hold(
    world: World, groups: Groups, filters: Filters, accounts: str
) -> None:
    assert "".join(account for account, _ in await found(world, filters)) == accounts


async def test_pages_and_limits_lose_and_repeat_nobody(
    world: World, groups: Groups, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = await found(world, Filters())
    assert len(everybody) == 4
    for page in (1, 2, 3, 4, 5):
        monkeypatch.setattr(listing, "PAGE", page)
        assert await found(world, Filters()) == everybody
        assert await found(world, Filters(), 3) == everybody[:3]


async def test_group_of_an_account_that_is_gone_is_not_listed(world: World, groups: Groups) -> None:
    await world.engage.execute(
        "update accounts set deleted_at = $1 where external_id = 'a'", world.now
    )
    assert await found(world, Filters(qualified=True)) == []


async def test_row_tells_exact_scores_to_programs_and_whole_ones_to_spreadsheets(
    world: World, groups: Groups
) -> None:
    await world.engage.execute(
        """update accounts set attributes = '{"name": "=cmd|x"}' where external_id = 'b'"""
    )
    [row] = [one async for one in listing.groups(world.engage, Filters(stage="open"))]
    told = group_row(row)
    assert told["completeness"] == Decimal("66.6666666666666667")
    assert told["members"] == 2
    assert told["empty_roles"] == ["influencer"]
    assert csv_cells(row) == [
        "b", "'=cmd|x", str(row["id"]), "grid", "open", "", "67", "0", "2", "influencer", "",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r\n=1"])
def test_cell_that_could_be_a_formula_is_a_text(text: str) -> None:
    assert harmless(text) == "'" + text


@pytest.mark.parametrize("text", ["a=1", "1-1", "", "o@x.example", "'=1"])
def test_cell_that_is_no_formula_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("score", "whole"), [("0.5", 1), ("66.4999", 66), ("66.5", 67), ("99.99", 100), ("2.5", 3)]
)
def test_score_is_shown_rounded_half_up(score: str, whole: int) -> None:
    assert shown(Decimal(score)) == whole


def test_filters_that_are_none_ask_nothing() -> None:
    assert replace(Filters(stage="x"), stage=None) == Filters()


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ("39.4", "39.6", True),  # shown as 39, then as 40
        ("39.6", "39.9", False),
        ("39.6", "40", True),  # at_least: 40
        ("40", "40.2", True),  # greater_than: 40
        ("40.1", "40.4", False),
        ("40.1", "39.9", True),
    ],
)
def test_a_score_that_passes_a_whole_number_is_an_event(before: str, now: str, told: bool) -> None:
    assert is_told(Decimal(before), Decimal(now)) is told
