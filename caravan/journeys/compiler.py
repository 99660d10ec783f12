"""Compiling: a journey of the workspace becomes a plan and a series of campaigns.

Each maximal straight run of action nodes (people splits included, as ordered choices) is one
campaign, which only its journey can use (product.md §2.9).
"""

from pydantic import BaseModel, ConfigDict

from caravan.journeys import reachability
from caravan.journeys.nodes import Node, acts, segment_actions
from caravan.journeys.nodes.call import Call
from caravan.journeys.plan import Plan
from caravan.journeys.workspace import Workspace


class Campaign(BaseModel):
    """A straight run of action nodes, named after its journey and its first node."""

    model_config = ConfigDict(frozen=True)

    name: str
    nodes: tuple[str, ...]
    actions: tuple[str, ...]


class Compiled(BaseModel):
    model_config = ConfigDict(frozen=True)

    plan: Plan
    campaigns: tuple[Campaign, ...]


def compile_journey(workspace: Workspace, slug: str) -> Compiled:
    """Compile a valid journey; the same documents give the same plan, byte for byte."""
    journey = workspace.journeys[slug]
    settings = workspace.settings
    used = {
        action.template
        for node in journey.nodes.values()
        for segment in segment_actions(node)
        for _, _, action in segment
        if action.kind == "send_email"
    }
    called = {node.service for node in journey.nodes.values() if isinstance(node, Call)}
    plan = Plan(
        journey=journey.journey,
        name=journey.name,
        audience=journey.audience,
        zone=journey.zone,
        zone_of_account=journey.zone_of_account,
        schedule=journey.schedule,
        start=journey.start,
        admit=journey.admit,
        reentry=journey.reentry,
        deduplicate_email=journey.deduplicate_email,
        nodes=journey.nodes,
        exits=journey.exits,
        catalog=settings.catalog,
        tokens=journey.tokens,
        sender=settings.sender,
        postal_address=settings.postal_address,
        templates={name: workspace.templates[name] for name in sorted(used)},
        services={name: workspace.services[name] for name in sorted(called)},
    )
    return compiled(plan)


def compiled(plan: Plan) -> Compiled:
    """A plan with its series of campaigns."""
    return Compiled(plan=plan, campaigns=tuple(_campaigns(plan)))


def _campaigns(plan: Plan) -> list[Campaign]:
    before: dict[str, list[str]] = {}
    for name, node in plan.nodes.items():
        for target in reachability.leads_to(node):
            before.setdefault(target, []).append(name)
    campaigns = []
    for name in plan.nodes:
        if not _begins(plan, name, before.get(name, [])):
            continue
        run = [name]
        while (
            _runs_on(plan.nodes[run[-1]])
            and (follower := _only_target(plan, run[-1]))
            and (
                _runs_on(plan.nodes[follower])
                and len(before[follower]) == 1
                and follower != plan.start
            )
        ):
            run.append(follower)
        campaigns.append(
            Campaign(
                name=f"{plan.journey}.{name}",
                nodes=tuple(run),
                actions=tuple(
                    action.kind
                    for member in run
                    for segment in segment_actions(plan.nodes[member])
                    for _, _, action in segment
                ),
            )
        )
    return campaigns


def _runs_on(node: Node) -> bool:
    """Whether a campaign goes on through a node; what a call asks for waits for the answer."""
    return acts(node) and not isinstance(node, Call)


def _begins(plan: Plan, name: str, before: list[str]) -> bool:
    """Whether a campaign begins at a node; a call of people is one of its own, begun by the answer."""
    node = plan.nodes[name]
    if _runs_on(node):
        return not _continues_a_run(plan, name, before)
    return any(segment_actions(node))


def _only_target(plan: Plan, name: str) -> str | None:
    targets = reachability.leads_to(plan.nodes[name])
    return targets[0] if targets else None


def _continues_a_run(plan: Plan, name: str, before: list[str]) -> bool:
    """Whether the one node before it is an action node, which then holds it in its campaign."""
    if name == plan.start or len(before) != 1:
        return False
    return before[0] != name and acts(plan.nodes[before[0]])
