"""Engagement as it is counted: incrementally, capped, by day, under a scale."""

from datetime import UTC, datetime

import pytest

from tests.engaging import Engaging
from tests.world import World

WEIGHTS = {"page_visited": 40, "form_filled": 60, "email_opened": 30}


@pytest.fixture
async def engaging(world: World) -> Engaging:
    new = Engaging(world)
    world.now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    await new.begin()
    await new.model(WEIGHTS)
    return new


async def test_counts_at_once_and_tells_what_is_shown(engaging: Engaging) -> None:
    group = await engaging.account(1, {1: "decision-maker", 2: "practitioner"})
    await engaging.does(1, "page_visited")
    await engaging.keep()
    assert await engaging.scores() == {1: 100}
    assert (await engaging.group(group))["engagement"] == 100
    await engaging.does(2, "page_visited")
    assert await engaging.scores() == {1: 100, 2: 100}
    assert len(await engaging.told("engagement_changed")) == 1
