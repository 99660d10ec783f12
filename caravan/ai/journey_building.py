"""Journeys that a model proposes: documents and templates that are valid together with the workspace, or none."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from caravan.ai.asking import Answer, Asker
from caravan.ai.drafts import Unconfined, inside, is_fit, problems_of, with_drafts
from caravan.ai.emails import FOLDER, MailDraft, strange_tokens, unfit_content
from caravan.ai.question import Question
from caravan.ai.role_focus import role_focuses
from caravan.ai.workspace_vocabulary import for_journey, sender_domain
from caravan.ai.writing import TOKENS, Misshapen, Origin, WrittenMail, mail_file, written
from caravan.ai.written_content import unfit_document, unfit_texts
from caravan.ai_settings import Feature
from caravan.journeys.cross_checks import actions_of
from caravan.journeys.limits import USUAL, Limits
from caravan.journeys.reading import SLUG, SLUG_IN_WORDS
from caravan.journeys.source import read_documents
from caravan.journeys.unseen import steers
from caravan.journeys.workspace import Workspace

#: what a proposal may add; the rest changes what is there already, or reaches out
KINDS = (
    "journey", "audience", "account_list", "people_list", "campaign", "solution_interest", "roles_template",
    "stage_model", "buying_groups", "tests",
)  # fmt: skip
#: files of one proposal
MOST_FILES = 20
_ADDRESS = re.compile(r"[^\s,;<>\"'()\[\]]+@[^\s,;<>\"'()\[\]]+")


class WrittenDocuments(BaseModel):
    """A file of documents."""

    model_config = ConfigDict(extra="forbid")

    file: str
    text: str


class WrittenTemplate(WrittenMail):
    """A template, and its name."""

    slug: str


class WrittenJourney(BaseModel):
    """What a model answers to a brief."""

    model_config = ConfigDict(extra="forbid")

    journey: str
    documents: list[WrittenDocuments]
    emails: list[WrittenTemplate]
    summary: str


@dataclass(frozen=True)
class Proposal:
    """A journey that is valid, as it would be written."""

    journey: str
    summary: str
    files: dict[str, str]
    workspace: Workspace  # as it would be with them
    answer: Answer[WrittenJourney]


async def propose(
    asker: Asker,
    workspace: Workspace,
    brief: str,
    *,
    at: datetime,
    limits: Limits = USUAL,
    fresh: bool = False,
) -> Proposal:
    """Have a journey written that a workspace could take as it is.

    Raises:
        Unanswered: nothing was written that is valid; ``wrong`` of a ``ModelFailed`` says why, line by line.
    """

    def draft(answered: WrittenJourney, origin: Origin) -> dict[str, str]:
        if unfit := _unfit(workspace, answered):
            raise Misshapen("\n".join(unfit))
        return _files(answered, origin)

    def wrong(answered: WrittenJourney, files: dict[str, str]) -> list[str]:
        drafted = with_drafts(workspace, files, at, limits)
        return problems_of(workspace, drafted, files) or _unwanted(
            workspace, drafted, answered, files, brief, at
        )

    question = Question(
        Feature.JOURNEY,
        "journey",
        for_journey(workspace),
        WrittenJourney,
        words={
            **TOKENS,
            "brief": brief,
            "roles": "; ".join(f"{one.role}: {one.focus}" for one in role_focuses()),
        },
    )
    files, answer = await written(asker, question, draft, wrong, at=at, fresh=fresh)
    return Proposal(
        answer.value.journey,
        answer.value.summary,
        files,
        with_drafts(workspace, files, at, limits),
        answer,
    )


def _files(answered: WrittenJourney, origin: Origin) -> dict[str, str]:
    files = {one.file: origin.comment + one.text.strip("\r\n") + "\n" for one in answered.documents}
    return files | {_mail(one.slug): mail_file(one.slug, one, origin) for one in answered.emails}


def _mail(slug: str) -> str:
    return f"{FOLDER}/{slug}.mjml"


def _unfit(workspace: Workspace, answered: WrittenJourney) -> list[str]:
    """Files that a model may not name, before anything is made of their names."""
    if len(answered.documents) + len(answered.emails) > MOST_FILES:
        return [f"a proposal has at most {MOST_FILES} files"]
    wrong = [f"{_mail(one.slug)}: {what}" for one in answered.emails for what in one.misshapen]
    if steers(answered.summary):
        wrong.append("the summary has characters that steer what is shown around them")
    for one in answered.documents:
        if steers(one.text):
            wrong.append(f"{one.file!r} has characters that steer what is shown around them")
        if not is_fit(one.file):
            wrong.append(
                f"{one.file!r} is no name for a file: such as journeys/my-journey.yaml, small letters, digits and "
                "dashes, in the workspace"
            )
    for mail in answered.emails:
        if not SLUG.fullmatch(mail.slug):
            wrong.append(f"{mail.slug!r} is no slug for an e-mail: {SLUG_IN_WORDS}")
    if wrong:
        return wrong
    named = [one.file for one in answered.documents] + [_mail(one.slug) for one in answered.emails]
    wrong += [f"{file} is written twice" for file, count in Counter(named).items() if count > 1]
    for file in named:
        try:
            if inside(workspace.directory, file).exists():
                wrong.append(f"{file} is there already: choose a name that the data does not list")
        except Unconfined as error:
            wrong.append(str(error))
    return wrong


def _unwanted(
    workspace: Workspace,
    drafted: Workspace,
    answered: WrittenJourney,
    files: dict[str, str],
    brief: str,
    at: datetime,
) -> list[str]:
    """What is valid, and not what a proposal may be."""
    wrong = []
    domain = sender_domain(workspace)
    made: Counter[str] = Counter()
    for one in answered.documents:
        for source in read_documents(files[one.file])[0]:
            kind = next(iter(source.data), "") if isinstance(source.data, dict) else ""
            made[kind] += 1
            if kind and kind not in KINDS:
                wrong.append(f"{one.file}: a proposal makes no document {kind}: {', '.join(KINDS)}")
        wrong += [f"{one.file}: {link}" for link in unfit_document(one.text, brief, domain=domain)]
    wrong += unfit_texts(workspace, drafted, brief, domain=domain, at=at)
    if answered.journey not in drafted.journeys or answered.journey in workspace.journeys:
        wrong.append(f"none of the documents is the new journey {answered.journey!r}")
    if made["journey"] != 1:
        wrong.append(f"there is to be one document journey, not {made['journey']}")
    if wrong:
        return wrong
    sent = {
        one.template
        for sender in (
            *map(actions_of, drafted.journeys.values()),
            *(one.actions for one in drafted.campaigns.values()),
        )
        for one in sender
        if one.kind == "send_email"
    }
    for mail in answered.emails:
        draft = MailDraft(mail.slug, _mail(mail.slug), mail, files[_mail(mail.slug)])
        wrong += unfit_content(workspace, drafted, draft, (brief,), at)
        wrong += strange_tokens(workspace, drafted, draft)
        if mail.slug not in sent:
            wrong.append(f"{draft.file}: nothing sends it: send it or leave it out")
    return wrong + _strangers(workspace, drafted, answered.journey, brief)


def _strangers(workspace: Workspace, drafted: Workspace, journey: str, brief: str) -> list[str]:
    """Whom a sales alert would be sent to without anybody having said so."""
    said = {one.casefold().rstrip(".") for one in _ADDRESS.findall(brief)}
    senders: list[Any] = [actions_of(drafted.journeys[journey])]
    senders += [
        one.actions for slug, one in drafted.campaigns.items() if slug not in workspace.campaigns
    ]
    return [
        f"an alert goes to {address}, whom the brief does not name"
        for actions in senders
        for action in actions
        if action.kind == "send_sales_alert"
        for address in action.to
        if address.casefold() not in said
    ]
