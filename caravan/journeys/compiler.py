"""Compiling: a journey of the workspace becomes a plan and a series of campaigns.

A campaign that may be requested becomes a plan too, of one node: a request travels it as an account
travels a journey, so whatever keeps a journey's effects right keeps a campaign's.

Each maximal straight run of action nodes (people splits included, as ordered choices) is one
campaign, which only its journey can use (product.md §2.9).
"""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from caravan.journeys import reachability
from caravan.journeys.nodes import Node, acts, segment_actions
from caravan.journeys.nodes.call import Call
from caravan.journeys.nodes.do import Do
from caravan.journeys.plan import Plan
from caravan.journeys.schedule import Schedule
from caravan.journeys.templates import TemplateDocument
from caravan.journeys.workspace import Workspace

#: what a request travels is named so: a colon keeps it apart from the slugs of journeys
REQUESTED = "campaign:"


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
    called = {node.service for node in journey.nodes.values() if isinstance(node, Call)}
    plan = Plan(
        journey=journey.journey,
        name=journey.name,
        audience=journey.audience,
        of_list=journey.of_list,
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
        templates=_templates(workspace, journey.nodes),
        services={name: workspace.services[name] for name in sorted(called)},
    )
    return compiled(plan)


def compiled(plan: Plan) -> Compiled:
    """A plan with its series of campaigns."""
    return Compiled(plan=plan, campaigns=tuple(_campaigns(plan)))


def compile_campaign(workspace: Workspace, slug: str) -> Compiled:
    """Compile a valid campaign document: one node, which a request travels for its people."""
    settings = workspace.settings
    nodes: dict[str, Node] = {"do": Do(actions=workspace.campaigns[slug].actions)}
    plan = Plan(
        journey=f"{REQUESTED}{slug}",
        name=slug,
        audience="",
        requested=True,
        zone=settings.zone,
        zone_of_account=settings.zone_of_account,
        schedule=Schedule(),
        start="do",
        nodes=nodes,
        catalog=settings.catalog,
        sender=settings.sender,
        postal_address=settings.postal_address,
        templates=_templates(workspace, nodes),
    )
    return Compiled(plan=plan, campaigns=())


def _templates(workspace: Workspace, nodes: Mapping[str, Node]) -> dict[str, TemplateDocument]:
    """The templates that the nodes send, as they are now."""
    used = {
        action.template
        for node in nodes.values()
        for segment in segment_actions(node)
        for _, _, action in segment
        if action.kind == "send_email"
    }
    return {name: workspace.templates[name] for name in sorted(used)}


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
