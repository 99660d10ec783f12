"""The journeys beside the simulated one: published as far as it may see them, and walked by nobody.

Only the named journey is live. Another one to which it adds accounts takes them into its queue, where
they stay. And where the audience is a list, accounts must be in the engage store to be in the list; in
production other journeys have brought them in, here one that is made up for it brings in everybody.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from caravan.engage import journeys
from caravan.journeys.compiler import compile_journey, compiled
from caravan.journeys.conditions.model import All
from caravan.journeys.documents import AudienceDocument
from caravan.journeys.durations import Span
from caravan.journeys.nodes import segment_actions
from caravan.journeys.plan import Plan
from caravan.journeys.schedule import Schedule
from caravan.journeys.workspace import Workspace
from caravan.platform import audiences
from caravan.simulation.throw_away import Pair

#: the journey that brings everybody in, and its audience; no document can have such a slug
EVERYBODY = "simulation:everybody"
#: whatever its own schedule says: adding an account is done
ALWAYS = Schedule(end=Span(count=1200, unit="months")).model_dump(mode="json")


async def publish_beside(pair: Pair, workspace: Workspace, plan: Plan, at: datetime) -> list[int]:
    """Publish what the journey of a plan needs beside it.

    Returns:
        The ids of the journeys whose accounts are to be brought in.
    """
    for slug in sorted(set(_named(plan))):
        other = compile_journey(workspace, slug).plan
        await _publish(pair, other, at, audience="", of_list=True, schedule=ALWAYS)
    if not plan.of_list:
        return []
    everybody = AudienceDocument(audience=EVERYBODY, when=All())
    async with pair.platform.acquire() as conn, conn.transaction():
        await audiences.store(conn, everybody, workspace.settings.zone, at)
    stored = await _publish(pair, plan, at, journey=EVERYBODY, audience=EVERYBODY, of_list=False)
    return [stored.journey_id]


async def _publish(pair: Pair, plan: Plan, at: datetime, **otherwise: Any) -> journeys.Stored:
    """A journey, but for what is said otherwise."""
    changed = Plan.model_validate(plan.model_dump(mode="json") | otherwise)
    return await journeys.publish(pair.engage, compiled(changed), at)


def _named(plan: Plan) -> Iterator[str]:
    """The journeys that a plan's actions add accounts to."""
    for node in plan.nodes.values():
        for segment in segment_actions(node):
            for _, _, action in segment:
                if action.kind == "add_to_journey":
                    yield action.journey
