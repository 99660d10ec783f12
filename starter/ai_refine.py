"""``caravan ai refine SLUG --how TEXT``: a template changed by a model, shown as a difference, written on yes."""

from datetime import UTC, datetime
from difflib import unified_diff
from pathlib import Path
from typing import Annotated

import typer

from caravan.ai.emails import refine
from caravan.ai.writing import LONGEST_BRIEF
from caravan.limit_settings import read_limits
from starter.ai_email import SlugArgument
from starter.ai_words import words_of
from starter.ai_writing import (
    AgainOption,
    DirOption,
    cost_of,
    have_written,
    model_settings,
    told,
)
from starter.errors import UserError
from starter.output import Format, FormatOption, as_json, plainly
from starter.session import SubscriptionOption
from starter.validate import known_template, read_workspace
from starter.written_files import ensure_somebody_decides, sure, write_files


def refine_email(
    slug: SlugArgument,
    how: Annotated[str, typer.Option("--how", help="Such as shorter, simpler, in Swedish, for a champion.")],
    directory: DirOption = Path(),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write it without asking.")] = False,
    again: AgainOption = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:  # fmt: skip
    """Change an e-mail template as you say: shows the difference, and writes it on yes. Needs a model (docs/ai.md).

    What is not valid goes back to the model, five rounds at most, and is not written. The rest of its front matter
    stays, but for `approved_by:`: who approved what it was has not approved what it becomes.
    """
    settings = model_settings()
    wanted = words_of("--how", how, LONGEST_BRIEF)
    ensure_somebody_decides(yes, "the change is written")
    now = datetime.now(UTC)
    workspace = read_workspace(directory, now)
    known_template(directory, workspace, slug)  # before a model is asked
    before, written = have_written(
        settings,
        workspace,
        subscription,
        lambda asks: refine(
            asks, workspace, slug, wanted, at=now, limits=read_limits(), fresh=again
        ),
    )
    [draft] = written.drafts
    difference = list(
        unified_diff(
            before.splitlines(), draft.text.splitlines(), draft.file, draft.file, lineterm=""
        )
    )
    if form is Format.table:
        for line in difference:
            plainly(line)
        plainly(f"Changed {cost_of(written.answer, settings)}.")
    if not sure(f"Write {draft.file}?", yes):
        raise UserError("nothing was written")
    if (directory / draft.file).read_text(encoding="utf-8-sig") != before:
        raise UserError(f"{draft.file} was changed meanwhile; nothing was written")
    write_files(directory, {draft.file: draft.text}, over=frozenset([draft.file]))
    if form is Format.json:
        head = {"file": draft.file, "template": slug, "diff": "\n".join(difference)}
        print(
            as_json({**head, **draft.mail.model_dump(), "text": draft.text, **told(written.answer)})
        )
        return
    plainly(
        f"{directory / draft.file} written. Name who approves it as approved_by: in its front matter; until then nothing "
        "that sends it is published."
    )
