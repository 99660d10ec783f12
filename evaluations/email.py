"""How good templates are: valid at all, of what was asked for, with nothing made up."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from caravan.ai.asking import Asker
from caravan.ai.emails import Brief, MailDraft, refine, write
from caravan.delivery.plaintext import text_of
from caravan.journeys.mail_html import mail_html
from caravan.journeys.workspace import Workspace, load_workspace
from evaluations.cases import Case
from evaluations.evaluation import Score

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
WORKSPACE = Path(__file__).parents[1] / "examples" / "grid-analytics"
#: of a subject that a telephone shows whole
SUBJECT = 70
_FIGURE = re.compile(r"\d(?:[\d.,:]*\d)?")


async def writes(asker: Asker, case: Case) -> Score:
    """Half the points for a valid template, the rest for each thing that its case asks for."""
    workspace = _workspace(case)
    if "how" in case.data:
        before, written = await refine(asker, workspace, case["slug"], case["how"], at=AT)
        drafts, given = written.drafts, before + case["how"]
    else:
        wishes = {key: case.data.get(key) for key in ("role", "stage", "tone", "language")}
        brief = Brief(case["brief"], **wishes, variants=case.data.get("variants", 1))
        drafts = (await write(asker, workspace, case["slug"], brief, at=AT)).drafts
        before, given = "", case["brief"]
    missing = [
        fault for draft in drafts for fault in _missing(workspace, case, draft, given, before)
    ]
    if len({draft.mail.subject for draft in drafts}) < len(drafts):
        missing.append("two variants have one subject")
    return Score(1.0 - 0.5 * min(1.0, len(missing) / 4), "; ".join(missing))


def _workspace(case: Case) -> Workspace:
    """The example's, with what a case says of it."""
    workspace = load_workspace(WORKSPACE, AT)
    name = case.data.get("sender", workspace.settings.sender.name)
    sender = workspace.settings.sender.model_copy(update={"name": name})
    return replace(workspace, settings=workspace.settings.model_copy(update={"sender": sender}))


def _missing(
    workspace: Workspace, case: Case, draft: MailDraft, given: str, before: str
) -> list[str]:
    text = f"{draft.mail.subject} {draft.mail.preheader} {_words(draft)}"
    missing = [
        f"nothing of {' or '.join(words)}"
        for words in case.data.get("mentions", [])
        if not any(word.casefold() in text.casefold() for word in words)
    ]
    missing += [
        f"speaks of {word}"
        for word in case.data.get("avoids", [])
        if word.casefold() in text.casefold()
    ]
    known = set(_FIGURE.findall(given + workspace.settings.postal_address))
    if made_up := set(_FIGURE.findall(re.sub(r"{[{%].*?[%}]}", "", text))) - known:
        missing.append(f"figures that nobody has given: {', '.join(sorted(made_up))}")
    if len(draft.mail.subject) > SUBJECT:
        missing.append(f"a subject of {len(draft.mail.subject)} characters")
    if "shorter_than" in case.data and len(draft.mail.body) > case["shorter_than"] * len(before):
        missing.append("not shorter")
    return missing


def _words(draft: MailDraft) -> str:
    return text_of(mail_html(draft.mail.body, "html" if draft.file.endswith(".html") else "mjml"))
