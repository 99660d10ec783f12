"""Checks across documents: rings of names, and what a mail needs."""

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from caravan.journeys import reachability
from caravan.journeys.actions import Action
from caravan.journeys.approval import CODE as UNAPPROVED
from caravan.journeys.conditions.naming import audiences_named
from caravan.journeys.documents import (
    AudienceDocument,
    CampaignDocument,
    JourneyDocument,
    WorkspaceDocument,
)
from caravan.journeys.folder import Folder
from caravan.journeys.liquid import problem_of
from caravan.journeys.nodes import segment_actions
from caravan.journeys.reading import Fields

Name = TypeVar("Name", bound=Hashable)


def check_rings(folder: Folder, audiences: Mapping[str, AudienceDocument]) -> None:
    """Audiences that are made of themselves."""
    names = {slug: sorted(audiences_named(audience.when)) for slug, audience in audiences.items()}
    for slug in in_rings(names):
        folder.fields(folder.named[("audience", slug)]).problem(
            "circular-reference",
            "when",
            f"audience {slug} refers to itself; leave one of the names out",
        )


def check_requests(folder: Folder, campaigns: Mapping[str, CampaignDocument]) -> None:
    """Campaigns that request themselves, which would never end."""
    asked = {
        slug: sorted({one.campaign for one in campaign.actions if one.kind == "request_campaign"})
        for slug, campaign in campaigns.items()
    }
    for slug in in_rings(asked):
        folder.fields(folder.named[("campaign", slug)]).problem(
            "circular-reference",
            "do",
            f"campaign {slug} requests itself; leave one of the requests out",
        )


def in_rings(names: Mapping[Name, Iterable[Name]]) -> list[Name]:
    """Those that come back to themselves, in order, by what each of them names."""
    inside = {one for cycle in reachability.cycles(names) for one in cycle}
    return [one for one in names if one in inside]


def actions_of(journey: JourneyDocument) -> list[Action]:
    """Every action of a journey's nodes."""
    return [
        action
        for node in journey.nodes.values()
        for segment in segment_actions(node)
        for _, _, action in segment
    ]


def check_mail(
    folder: Folder,
    sender: str,
    actions: Iterable[Action],
    tokens: Mapping[str, str],
    settings: WorkspaceDocument,
) -> None:
    """What a mail needs from who sends it and from the workspace: tokens and a sender.

    Args:
        folder: takes the problems.
        sender: the journey or campaign, as messages name it.
        actions: what it does.
        tokens: what ``my`` has there.
        settings: of the workspace.
    """
    sent = {action.template for action in actions if action.kind == "send_email"}
    for slug in sorted(sent):
        read = folder.templates.get(slug)
        if read is None or read.template is None:
            continue
        for file, used in read.tokens:
            message = problem_of(used, settings.catalog, person=True, my=tokens)
            if message is not None:
                folder.add(
                    file,
                    used.line,
                    "unknown-variable",
                    f"{message} ({sender})",
                    document=f"email:{slug}",
                )
        if not settings.sender.email and not read.template.from_:
            folder.add(
                folder.template_files[slug], 1, "missing-sender",
                "no sender: name one in the workspace (sender: {name, email}) or as from in the template",
                document=f"email:{slug}",
            )  # fmt: skip


def check_approved(folder: Folder, senders: Mapping[str, Iterable[Action]]) -> None:
    """Templates that are sent, that a model wrote, and that nobody has approved.

    Args:
        folder: takes the problems.
        senders: what each journey and campaign does, by the name that messages have for it.
    """
    sent: dict[str, list[str]] = {}
    for sender, actions in senders.items():
        for slug in sorted({one.template for one in actions if one.kind == "send_email"}):
            sent.setdefault(slug, []).append(sender)
    for slug, users in sorted(sent.items()):
        read = folder.templates.get(slug)
        if read is None or read.unapproved is None:
            continue
        folder.add(
            folder.template_files[slug],
            read.unapproved,
            UNAPPROVED,
            f"a model wrote it and nobody has approved it; it is sent by {', '.join(users)}: "
            "read it, and name who did as approved_by in its front matter",
            document=f"email:{slug}",
        )


def check_alerts(journey: Fields, actions: Iterable[Action], settings: WorkspaceDocument) -> None:
    """What a sales alert needs: the workspace's sender, for it has no template to name another."""
    if not settings.sender.email and any(one.kind == "send_sales_alert" for one in actions):
        journey.problem(
            "missing-sender", "nodes",
            "no sender for its sales alerts: name one in the workspace (sender: {name, email})",
        )  # fmt: skip
