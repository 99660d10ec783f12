"""Journeys take turns: of a long queue of mail a small journey's is not at the end."""

from datetime import timedelta

from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.email import EmailActivities
from activities.roles import build_workers, sandbox
from tests.running import Running
from tests.world import World
from workflows.contracts import EMAIL

JOURNEY = """
journey: {name}
audience: {name}
schedule: {{end: 30 days}}
start: mail
nodes:
  mail: {{do: [{{send_email: {{template: {name}}}}}], end: sent}}
---
audience: {name}
when: {{account: {{industry: {name}}}}}
---
"""
LARGE, SMALL = 80, 6


async def test_small_journey_does_not_wait_for_a_large_one(
    world: World, temporal: WorkflowEnvironment
) -> None:
    """Both have queued their mail before anybody sends; one is sent after another."""
    running = Running(world, temporal)
    workspace = world.workspace(
        JOURNEY.format(name="large") + JOURNEY.format(name="small").removesuffix("---\n"),
        ("large", "small"),
    )
    industries = ["large"] * LARGE + ["small"] * SMALL
    await world.load(
        workspace,
        accounts="account_id,name,industry\n"
        + "".join(f"a{n},Acme {n},{name}\n" for n, name in enumerate(industries)),
        people="person_id,email,account_id\n"
        + "".join(f"p{n},p{n}@x.example,a{n}\n" for n in range(LARGE + SMALL)),
    )
    common = {"graceful": timedelta(seconds=1), "runner": sandbox()}
    [journeys] = build_workers(
        temporal.client, world.stores, world.mailing, ("journeys",), **common
    )
    async with journeys:
        for slug, count in (("large", LARGE), ("small", SMALL)):
            journey_id = await world.publish(workspace, slug)
            await world.enter(journey_id)
            handles = await running.start(journey_id)
            assert len(handles) == count
            for handle in handles:
                while not (await handle.describe()).raw_description.pending_activities:
                    pass
        one_by_one = Worker(
            temporal.client,
            task_queue=EMAIL,
            activities=[EmailActivities(world.stores, world.plans, world.mailing).send],
            max_concurrent_activities=1,
        )
        async with one_by_one:
            await running.until(
                "select count(*) = 86 from ledger where state = 'accepted'", patience=60
            )
    order = [template for template, _ in world.mailed()]
    assert order.count("small") == SMALL
    last = max(number for number, template in enumerate(order) if template == "small")
    assert last < 2 * SMALL + 20, order
