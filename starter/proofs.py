"""What `email preview` and `email test` share: which mail, for whom, from whose data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from caravan.campaigns import previews
from caravan.campaigns.previews import Recipient
from caravan.delivery.errors import UnfitText
from caravan.delivery.message import Letter, message_id
from caravan.journeys.conditions.parse import nearest
from caravan.journeys.cross_checks import actions_of
from caravan.journeys.documents import JourneyDocument
from caravan.journeys.liquid import expanded_variables, variables
from caravan.journeys.workspace import Workspace
from caravan.simulation.outside import Outside
from caravan.simulation.throw_away import throw_away_pair
from starter.embedder import embedder
from starter.errors import UserError
from starter.import_data import tell_bad_rows
from starter.output import say
from starter.scratch import scratch_dsn
from starter.session import open_session, run
from starter.simulate import tell_titles_unread
from starter.validate import known_template, read_workspace

SlugArgument = Annotated[str, typer.Argument(help="The template's slug.", metavar="SLUG")]
PersonOption = Annotated[str, typer.Option("--person", help="For whom: an id or e-mail address.")]
AccountOption = Annotated[
    str | None,
    typer.Option("--account", help="As of which account, where the person has several."),
]
JourneyOption = Annotated[
    str | None,
    typer.Option(
        "--journey", help="Whose tokens and time zone count, where several journeys send it."
    ),
]
DataFilesOption = Annotated[
    bool,
    typer.Option(
        "--data-files", help="Take the workspace's data files instead of the running store."
    ),
]


@dataclass(frozen=True)
class Wanted:
    """One mail of a workspace for one person."""

    workspace: Workspace
    slug: str
    journey: JourneyDocument | None
    recipient: Recipient

    def letter(self, to_address: str | None = None) -> Letter:
        """The mail, to them or to somebody else."""
        at = datetime.now(UTC)
        # a mailbox drops what bears an id it has seen: each proof is a message of its own
        identity = message_id(
            f"proof/{self.slug}/{at.isoformat()}",
            self.workspace.settings.sender.email.rpartition("@")[2],
        )
        address = (
            to_address or self.recipient.person_fields.get("email") or "nobody@nowhere.invalid"
        )
        try:
            return previews.preview(
                self.workspace,
                self.slug,
                self.recipient,
                self.journey,
                to_address=address,
                identity=identity,
                at=at,
            )
        except UnfitText as error:
            raise UserError(
                f"E-mail {self.slug} cannot be written for {self.recipient.person}: {error}"
            ) from None


def wanted(
    directory: Path,
    slug: str,
    person: str,
    account: str | None,
    journey: str | None,
    *,
    data_files: bool,
) -> Wanted:
    """Find all that a proof needs, and say for whom it is."""
    workspace = read_workspace(directory, datetime.now(UTC))
    template = known_template(directory, workspace, slug)
    chosen = _journey(workspace, slug, journey)
    interest = template.solution_interest
    find = _in_files(workspace, person, account) if data_files else _in_store(
        workspace, person, account, interest
    )  # fmt: skip
    recipient = _one(find, person, account)
    return Wanted(workspace, slug, chosen, recipient)


def _journey(workspace: Workspace, slug: str, named: str | None) -> JourneyDocument | None:
    """The journey as which it is written: the one that is named, or the only one that sends it."""
    if named is not None:
        if named not in workspace.journeys:
            raise UserError(f"No journey {named}{nearest(named, workspace.journeys)}")
        return workspace.journeys[named]
    sending = [
        journey
        for journey in workspace.journeys.values()
        if any(
            action.kind == "send_email" and action.template == slug
            for action in actions_of(journey)
        )
    ]
    if len(sending) == 1:
        return sending[0]
    if _speaks_of_my(workspace, slug):
        known = ", ".join(journey.journey for journey in sending or workspace.journeys.values())
        raise UserError(
            f"E-mail {slug} has tokens of its journey (my.…): choose one with --journey: {known}"
        )
    return None


def _speaks_of_my(workspace: Workspace, slug: str) -> bool:
    template = workspace.templates[slug]
    headers = (template.subject, template.preheader, template.from_, template.reply_to)
    used = [one for text in headers for one in variables(text or "")]
    return any(one.segments[0] == "my" for one in [*used, *expanded_variables(template.whole.text)])


def _in_store(
    workspace: Workspace, person: str, account: str | None, interest: str | None
) -> list[Recipient]:
    async def body() -> list[Recipient]:
        async with open_session(workspace.settings.pair.munchkin) as session:
            engage = await session.engage()
            found = await previews.in_engage(engage, person, account, interest)
            # who is in no journey's audience is in the Platform store alone
            return found or await previews.in_platform(await session.platform(), person, account)

    return run(body())


def _in_files(workspace: Workspace, person: str, account: str | None) -> list[Recipient]:
    if workspace.data is None:
        raise UserError("The workspace has no data files (data: in its document)")

    async def body(dsn: str) -> list[Recipient]:
        async with throw_away_pair(dsn) as pair:
            outside = Outside(pair, workspace, embedder())
            reports, _ = await outside.load(workspace.data, datetime.now(UTC))
            tell_bad_rows(reports)
            tell_titles_unread([outside.titles_unread])
            return await previews.in_platform(pair.platform, person, account)

    with scratch_dsn() as dsn:
        return run(body(dsn))


def _one(found: Sequence[Recipient], person: str, account: str | None) -> Recipient:
    """The first of the accounts, which is said where there are more."""
    if not found:
        of = f" of account {account}" if account else ""
        raise UserError(
            f"No person {person}{of}; `caravan account show ID` lists an account's people"
        )
    first, *others = found
    if others:
        also = ", ".join(one.account for one in others)
        say(f"as of account {first.account}; --account may name another: {also}")
    return first
