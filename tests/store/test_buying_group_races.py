"""Groups while others write: what a page of upkeep looked at must not be done when it is true no more."""

import asyncio
from typing import Any

import pytest

from caravan.buying_groups import upkeep
from caravan.buying_groups.fitting import Misplaced
from caravan.campaigns import buying_group_upkeep
from caravan.journeys.documents.roles_template import RolesTemplateDocument, TemplateRole
from tests.grouping import Documents, Grouping, titled
from tests.world import World


@pytest.fixture
async def grouping(world: World) -> Grouping:
    grouping = Grouping(world)
    await grouping.people(a="Chief,Clerk")
    await grouping.store(Documents())
    await world.engage.execute("update buying_group_jobs set flow_at = now()")
    await grouping.group("a")
    await grouping.upkeep()
    return grouping


class Slow:
    """The first page to look stands still between its look and its locks, until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looked, self.may_go_on = asyncio.Event(), asyncio.Event()
        self._look = upkeep._misplaced
        monkeypatch.setattr(upkeep, "_misplaced", self._misplaced)

    async def _misplaced(self, conn: Any, groups: Any, at: Any) -> list[Misplaced]:
        found = await self._look(conn, groups, at)
        if not self.looked.is_set():
            self.looked.set()
            await self.may_go_on.wait()
        return found


async def retitled(grouping: Grouping, person: str, title: str) -> None:
    """As the stream takes it in: the change and the question in one transaction."""
    engage = grouping.world.engage
    async with engage.acquire() as conn, conn.transaction():
        await conn.execute(
            "update people set attributes = attributes || jsonb_build_object('job_title', $2::text)"
            " where external_id = $1",
            person,
            title,
        )
        await conn.execute(
            "insert into buying_group_questions (account_id) select id from accounts where external_id = 'a'"
        )


def page(grouping: Grouping) -> "asyncio.Task[int]":
    world = grouping.world
    return asyncio.create_task(buying_group_upkeep.keep_page(world.engage, world.plans, world.now))


async def both(slow: Slow, first: "asyncio.Task[int]", second: "asyncio.Task[int]") -> None:
    """The second one is through, or waits for the first one; then the first goes on."""
    await asyncio.wait({second}, timeout=1)
    slow.may_go_on.set()
    await asyncio.gather(first, second)


async def test_a_page_that_looked_earlier_does_not_undo_a_later_one(
    grouping: Grouping, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(monkeypatch)
    await retitled(grouping, "a2", "Engineer")
    first = page(grouping)
    await slow.looked.wait()
    await retitled(grouping, "a2", "Clerk")
    await both(slow, first, page(grouping))
    await grouping.keep()
    members = await grouping.members(await grouping.group("a"))
    assert [one for one, (_, _, removed) in members.items() if not removed] == ["a1"]


async def test_a_page_that_began_earlier_does_not_bring_an_old_version_back(
    grouping: Grouping, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(monkeypatch)
    await retitled(grouping, "a2", "Clerk of all")
    first = page(grouping)
    await slow.looked.wait()
    clerks = RolesTemplateDocument(
        roles_template="team", roles=(TemplateRole(role="other", when=titled("Clerk")),)
    )
    await grouping.store(Documents(roles_templates={"team": clerks}))
    # answered once those are over who may not have seen it: so by hand what the daily run asks
    await upkeep.question_all(grouping.world.engage)
    await both(slow, first, page(grouping))
    await grouping.keep()
    version = await grouping.world.engage.fetchval(
        "select t.version from buying_groups g join roles_templates t on t.id = g.template_id"
    )
    assert version == 2
