"""Checks across documents: the shape of a journey, rings of audiences, and what a mail needs."""

from collections.abc import Mapping

from caravan.journeys import reachability
from caravan.journeys.conditions import model
from caravan.journeys.documents import AudienceDocument, JourneyDocument, WorkspaceDocument
from caravan.journeys.folder import Folder
from caravan.journeys.liquid import problem_of
from caravan.journeys.nodes import segment_actions
from caravan.journeys.reading import Fields

#: nodes of a cycle that a message names
MOST_SHOWN = 8


def check_rings(folder: Folder, audiences: Mapping[str, AudienceDocument]) -> None:
    """Audiences that are made of themselves."""
    for slug in _circular(audiences):
        folder.fields(folder.named[("audience", slug)]).problem(
            "circular-reference", "when", f"audience {slug} refers to itself"
        )


def _circular(audiences: Mapping[str, AudienceDocument]) -> list[str]:
    refers = {slug: sorted(_audiences_in(audience.when)) for slug, audience in audiences.items()}
    inside = {slug for cycle in reachability.cycles(refers) for slug in cycle}
    return [slug for slug in audiences if slug in inside]


def _audiences_in(condition: model.Condition) -> set[str]:
    match condition:
        case model.InAudience(audience=audience):
            return {audience}
        case model.All(of=parts) | model.Any(of=parts):
            return set().union(*(_audiences_in(part) for part in parts))
        case model.Not(of=part) | model.People(when=part):
            return _audiences_in(part)
        case _:
            return set()


def check_shape(fields: Fields, journey: JourneyDocument) -> None:
    """Nodes that nobody comes to, and cycles that nothing slows down."""
    starts = [journey.start, *(one.name for one in journey.exits if one.acts)]
    for name in reachability.unreachable(journey.nodes, starts):
        fields.report("unreachable-node", ("nodes", name), f"no path leads to {name}")
    for cycle in reachability.restless_cycles(journey.nodes):
        fields.report(
            "cycle-without-wait",
            ("nodes", cycle[0]),
            f"{_ring(cycle)} has no wait or listen: an account would spin in it",
        )


def _ring(cycle: list[str]) -> str:
    shown = cycle if len(cycle) <= MOST_SHOWN else [*cycle[: MOST_SHOWN - 1], "…"]
    return " → ".join([*shown, cycle[0]])


def check_mail(
    folder: Folder, fields: Fields, journey: JourneyDocument, settings: WorkspaceDocument
) -> None:
    """What a mail needs from its journey and workspace: tokens and a sender."""
    sent = {
        action.template
        for node in journey.nodes.values()
        for segment in segment_actions(node)
        for _, _, action in segment
        if action.kind == "send_email"
    }
    for slug in sorted(sent):
        read = folder.templates.get(slug)
        if read is None or read.template is None:
            continue
        for used in read.tokens:
            message = problem_of(used, settings.catalog, person=True, my=journey.tokens)
            if message is not None:
                folder.add(
                    folder.template_files[slug],
                    used.line,
                    "unknown-variable",
                    f"{message} (journey {journey.journey})",
                    document=f"email:{slug}",
                )
        if not settings.sender.email and not read.template.from_:
            folder.add(
                folder.template_files[slug], 1, "missing-sender",
                "no sender: name one in the workspace (sender: {name, email}) or as from in the template",
                document=f"email:{slug}",
            )  # fmt: skip
