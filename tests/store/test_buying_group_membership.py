"""Who is in a group, and by whom: the precedence of sources, completeness, and many at once."""

import asyncio
from decimal import Decimal
from fractions import Fraction

import pytest

from caravan.buying_groups.completeness import shown
from caravan.buying_groups.precedence import Source
from tests.grouping import Documents, Grouping
from tests.world import World

ABOVE: dict[Source, set[Source]] = {
    "manual": {"manual", "journey", "job"},
    "journey": {"journey", "job"},
    "job": {"job"},
}
SOURCES: tuple[Source, ...] = ("manual", "journey", "job")
REASON: dict[Source, str] = {"manual": "manual-member", "journey": "journey-member"}


@pytest.fixture
async def grouping(world: World) -> Grouping:
    new = Grouping(world)
    await new.store(Documents())
    return new


@pytest.mark.parametrize("actor", SOURCES)
@pytest.mark.parametrize("before", SOURCES)
async def test_who_was_removed_is_added_by_nobody_below(
    grouping: Grouping, actor: Source, before: Source
) -> None:
    await grouping.people(a="Chief")
    group = await grouping.group("a")
    await grouping.assign(group, "champion", before, "a1")
    await grouping.remove(group, before, "a1")
    changed = await grouping.assign(group, "champion", actor, "a1")
    allowed = before in ABOVE[actor]
    assert list(changed.reasons.values()) == [None if allowed else REASON[before]]
    assert (await grouping.members(group))["a1"] == (
        ("champion", actor, False) if allowed else ("champion", before, True)
    )
    assert [one.type for one in changed.happenings] == ["added_to_buying_group"] * allowed


@pytest.mark.parametrize("actor", SOURCES)
@pytest.mark.parametrize("before", SOURCES)
async def test_a_role_is_changed_by_nobody_below(
    grouping: Grouping, actor: Source, before: Source
) -> None:
    await grouping.people(a="Chief")
    group = await grouping.group("a")
    await grouping.assign(group, "champion", before, "a1")
    changed = await grouping.assign(group, "influencer", actor, "a1")
    allowed = before in ABOVE[actor]
    assert list(changed.reasons.values()) == [None if allowed else REASON[before]]
    assert (await grouping.members(group))["a1"] == (
        ("influencer", actor, False) if allowed else ("champion", before, False)
    )


@pytest.mark.parametrize("actor", SOURCES)
@pytest.mark.parametrize("before", SOURCES)
async def test_a_member_is_removed_by_nobody_below(
    grouping: Grouping, actor: Source, before: Source
) -> None:
    await grouping.people(a="Chief")
    group = await grouping.group("a")
    await grouping.assign(group, "champion", before, "a1")
    changed = await grouping.remove(group, actor, "a1")
    allowed = before in ABOVE[actor]
    assert list(changed.reasons.values()) == [None if allowed else REASON[before]]
    assert (await grouping.members(group))["a1"] == (
        "champion",
        actor if allowed else before,
        allowed,
    )


@pytest.mark.parametrize(("actor", "then"), [("manual", "manual"), ("journey", "journey")])
async def test_who_is_in_already_stays_by_whoever_is_higher(
    grouping: Grouping, actor: Source, then: Source
) -> None:
    await grouping.people(a="Chief")
    group = await grouping.group("a")
    await grouping.assign(group, "champion", "job", "a1")
    changed = await grouping.assign(group, "champion", actor, "a1")
    assert list(changed.reasons.values()) == ["already-member"]
    assert changed.happenings == []
    assert (await grouping.members(group))["a1"] == ("champion", then, False)


async def test_who_is_not_in_cannot_be_removed(grouping: Grouping) -> None:
    await grouping.people(a="Chief")
    group = await grouping.group("a")
    assert list((await grouping.remove(group, "manual", "a1")).reasons.values()) == ["not-member"]
    await grouping.assign(group, "champion", "job", "a1")
    await grouping.remove(group, "job", "a1")
    assert list((await grouping.remove(group, "manual", "a1")).reasons.values()) == ["not-member"]
    # and is out by the user from now on: no job brings them back
    assert (await grouping.members(group))["a1"] == ("champion", "manual", True)


async def test_who_is_not_of_the_account_cannot_join(grouping: Grouping) -> None:
    await grouping.people(a="Chief", b="Chief")
    group = await grouping.group("a")
    changed = await grouping.assign(group, "champion", "manual", "b1", "a1")
    assert sorted(map(str, changed.reasons.values())) == ["None", "not-of-account"]
    assert list(await grouping.members(group)) == ["a1"]


async def test_completeness_is_exact_and_told_when_it_shows(grouping: Grouping) -> None:
    await grouping.people(a="Chief,Eng,Eng,Eng,Eng,Eng")
    group = await grouping.group("a")
    changed = await grouping.assign(group, "practitioner", "manual", "a2")
    # half of (1/3 of the practitioners, no decision maker)
    exact = (await grouping.row(group))["completeness"]
    assert Fraction(exact).limit_denominator(1000) == Fraction(100, 6)
    assert shown(exact) == 17
    told = [one.fields for one in changed.happenings if one.type == "completeness_changed"]
    assert told == [{"solution_interest": "grid", "score": float(exact), "from": 0.0}]
    await grouping.assign(group, "decision-maker", "manual", "a1")
    await grouping.assign(group, "practitioner", "manual", "a3", "a4")
    assert (await grouping.row(group))["completeness"] == 100
    # more than are needed add nothing, and a role that is not required never did
    more = await grouping.assign(group, "practitioner", "manual", "a5")
    assert [one.type for one in more.happenings] == ["added_to_buying_group"]
    await grouping.assign(group, "champion", "manual", "a6")
    assert (await grouping.row(group))["completeness"] == Decimal(100)


async def test_fifty_assign_at_once(grouping: Grouping) -> None:
    await grouping.people(a=",".join(["Eng"] * 50))
    group = await grouping.group("a")
    people = [f"a{number}" for number in range(1, 51)]
    await asyncio.gather(
        *(grouping.assign(group, "practitioner", "journey", person) for person in people),
        *(grouping.assign(group, "champion", "manual", person) for person in people[:25]),
    )
    members = await grouping.members(group)
    assert {members[person] for person in people[:25]} == {("champion", "manual", False)}
    assert {members[person] for person in people[25:]} == {("practitioner", "journey", False)}
    assert (await grouping.row(group))["completeness"] == 50
