"""``caravan ai email SLUG --brief TEXT``: e-mail templates that a model writes, valid ones, to be approved."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from caravan.ai.emails import MOST_VARIANTS, Brief, MailDraft, file_of, names_of, write
from caravan.ai.role_focus import focus_of, role_focuses
from caravan.ai.writing import LONGEST_BRIEF
from caravan.delivery.plaintext import text_of, text_template
from caravan.journeys.mail_html import mail_html
from caravan.journeys.reading import SLUG, SLUG_IN_WORDS
from caravan.journeys.workspace import Workspace
from caravan.limit_settings import read_limits
from starter.ai_words import ensure_text, words_of
from starter.ai_writing import (
    AgainOption,
    DirOption,
    cost_of,
    have_written,
    model_settings,
    told,
)
from starter.errors import UserError
from starter.output import Format, FormatOption, as_json, plainly, say
from starter.session import SubscriptionOption
from starter.validate import read_workspace
from starter.written_files import ensure_somebody_decides, sure, write_files

SlugArgument = Annotated[str, typer.Argument(help="The template's slug.", metavar="SLUG")]


def email(
    slug: SlugArgument,
    brief: Annotated[str, typer.Option("--brief", help="What it is about, and what it is to bring about.")],
    role: Annotated[
        str | None,
        typer.Option("--role", help="Of the buying group, for whom it is: steering-committee, influencer, decision-maker, practitioner, champion, or one of yours."),
    ] = None,
    stage: Annotated[str | None, typer.Option("--stage", help="Where they stand in their journey.")] = None,
    tone: Annotated[str | None, typer.Option("--tone", help="Such as plain, warm, formal.")] = None,
    language: Annotated[str | None, typer.Option("--language", help="Absent: that of the brief.")] = None,
    variants: Annotated[
        int, typer.Option("--variants", help="How many: SLUG-a, SLUG-b …", min=1, max=MOST_VARIANTS)
    ] = 1,
    directory: DirOption = Path(),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write over files without asking.")] = False,
    again: AgainOption = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:  # fmt: skip
    """Write e-mail templates to a brief. Needs a model (docs/ai.md).

    What is not valid goes back to the model, five rounds at most; what is not valid then is not written, and the
    command exits 1 with what is wrong. Links lead only where the brief says, or to the sender's own site. A file
    that is there is asked about before. The files say `generated:` in their front matter: no journey that sends
    them is published until somebody is named in it as `approved_by:`.

    Try: `caravan ai email outage-brief --brief "Invite to the outage webinar on 12 May" --role practitioner`
    """
    settings = model_settings()
    wanted = Brief(
        words_of("--brief", brief, LONGEST_BRIEF),
        _text_if_said("--role", role),
        _text_if_said("--stage", stage),
        _text_if_said("--tone", tone),
        _text_if_said("--language", language),
        variants,
    )
    slugs = names_of(slug, variants)
    if wrong := [one for one in slugs if not SLUG.fullmatch(one)]:
        raise UserError(f"{wrong[0]!r} is not a slug: {SLUG_IN_WORDS}")
    if role is not None and focus_of(role) is None:
        known = ", ".join(one.role for one in role_focuses())
        say(f"of the role {role} the model is told the name alone; a focus is known of {known}")
    now = datetime.now(UTC)
    workspace = read_workspace(directory, now)
    over = _over(workspace, slugs, yes)

    written = have_written(
        settings,
        workspace,
        subscription,
        lambda asks: write(
            asks, workspace, slug, wanted, at=now, limits=read_limits(), fresh=again
        ),
    )
    write_files(directory, {one.file: one.text for one in written.drafts}, over=over)
    if form is Format.json:
        files = [
            {"file": one.file, "template": one.slug, **one.mail.model_dump(), "text": one.text}
            for one in written.drafts
        ]
        print(as_json({"files": files, **told(written.answer)}))
        return
    for draft in written.drafts:
        show_draft(directory, draft)
    plainly(f"Written {cost_of(written.answer, settings)}.")
    plainly(
        "Read it, try it (`caravan email preview`), change it (`caravan ai refine`); then name who approves it as "
        "approved_by: in its front matter. Until then nothing that sends it is published."
    )


def _text_if_said(option: str, text: str | None) -> str | None:
    return None if text is None else ensure_text(option, text)


def _over(workspace: Workspace, slugs: Sequence[str], yes: bool) -> frozenset[str]:
    """The files that are there and may be written over."""
    files = [file_of(workspace, slug) for slug in slugs]
    there = [file for file in files if (workspace.directory / file).exists()]
    if there:
        names = " and ".join(there)
        ensure_somebody_decides(yes, f"{names} is there already; it is written over")
        if not sure(f"{names} is there already. Write over it?", yes):
            raise UserError("nothing was written")
    return frozenset(there)


def show_draft(directory: Path, draft: MailDraft) -> None:
    """A template as who approves it wants to see it first."""
    plainly(str(directory / draft.file))
    plainly(f"  Subject: {draft.mail.subject}")
    if draft.mail.preheader:
        plainly(f"  Preheader: {draft.mail.preheader}")
    html = mail_html(draft.mail.body, "html" if draft.file.endswith(".html") else "mjml")
    for line in (text_template(html) or text_of(html)).splitlines():
        plainly(f"  {line}".rstrip())
    plainly("")
