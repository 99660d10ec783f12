"""E-mail templates that a model writes or changes: valid ones, or none."""

from dataclasses import dataclass
from datetime import datetime
from string import ascii_lowercase
from typing import Any

from pydantic import BaseModel, ConfigDict

from caravan.ai.asking import Answer, Asker
from caravan.ai.drafts import problems_of, with_drafts
from caravan.ai.question import Question
from caravan.ai.role_focus import focus_of
from caravan.ai.workspace_vocabulary import for_mail, sender_domain
from caravan.ai.writing import TOKENS, Misshapen, Origin, WrittenMail, mail_file, written
from caravan.ai.written_content import unfit_mail
from caravan.ai_settings import Feature
from caravan.journeys.limits import USUAL, Limits
from caravan.journeys.templates import split_front
from caravan.journeys.workspace import Workspace

#: variants of one brief
MOST_VARIANTS = 5
FOLDER = "emails"
#: what a prompt says where the operator has not
OPEN = "as the brief says; where it does not, use your judgement"


class WrittenVariants(BaseModel):
    """What a model answers to a brief."""

    model_config = ConfigDict(extra="forbid")

    variants: list[WrittenMail]


@dataclass(frozen=True)
class Brief:
    """What is to be written, in the operator's words."""

    brief: str
    role: str | None = None
    stage: str | None = None
    tone: str | None = None
    language: str | None = None
    variants: int = 1

    @property
    def words(self) -> dict[str, str]:
        focus = focus_of(self.role) if self.role is not None else None
        return {
            **TOKENS,
            "brief": self.brief,
            "variants": str(self.variants),
            "role": self.role or OPEN,
            "focus": focus.focus if focus is not None else OPEN,
            "stage": self.stage or OPEN,
            "tone": self.tone or OPEN,
            "language": self.language or "that of the brief",
        }


@dataclass(frozen=True)
class MailDraft:
    """A template as it would be written."""

    slug: str
    file: str
    mail: WrittenMail
    text: str


@dataclass(frozen=True)
class Written:
    """What a model wrote, all of it valid, and what it cost."""

    drafts: tuple[MailDraft, ...]
    answer: Answer[Any]


def names_of(slug: str, variants: int) -> tuple[str, ...]:
    """The slugs of a brief's variants: ``slug``, or ``slug-a``, ``slug-b`` …"""
    if variants == 1:
        return (slug,)
    return tuple(f"{slug}-{letter}" for letter in ascii_lowercase[:variants])


def file_of(workspace: Workspace, slug: str) -> str:
    """Where a template lies, or would."""
    return workspace.template_files.get(slug, f"{FOLDER}/{slug}.mjml")


async def write(
    asker: Asker,
    workspace: Workspace,
    slug: str,
    brief: Brief,
    *,
    at: datetime,
    limits: Limits = USUAL,
    fresh: bool = False,
) -> Written:
    """Write a template for each variant of a brief.

    Raises:
        Unanswered: nothing was written that is valid; ``wrong`` of a ``ModelFailed`` says why, line by line.
    """
    slugs = names_of(slug, brief.variants)
    formats = {"HTML" if file_of(workspace, one).endswith(".html") else "MJML" for one in slugs}

    def draft(answered: WrittenVariants, origin: Origin) -> tuple[MailDraft, ...]:
        if len(answered.variants) != len(slugs):
            raise Misshapen(f"there are to be {len(slugs)} variants, not {len(answered.variants)}")
        return tuple(
            MailDraft(one, file_of(workspace, one), mail, mail_file(one, mail, origin))
            for one, mail in zip(slugs, answered.variants, strict=True)
        )

    def wrong(_: WrittenVariants, drafts: tuple[MailDraft, ...]) -> list[str]:
        return _wrong(workspace, drafts, (brief.brief,), at, limits)

    question = Question(
        Feature.EMAIL,
        "email",
        for_mail(workspace, slugs),
        WrittenVariants,
        words={**brief.words, "format": " or ".join(sorted(formats))},
    )
    return Written(*await written(asker, question, draft, wrong, at=at, fresh=fresh))


async def refine(
    asker: Asker,
    workspace: Workspace,
    slug: str,
    how: str,
    *,
    at: datetime,
    limits: Limits = USUAL,
    fresh: bool = False,
) -> tuple[str, Written]:
    """Change a template as the operator says; who approved what it was has not approved what it becomes.

    Returns:
        The text of the file as it is, and the draft.

    Raises:
        Unanswered: as ``write``.
    """
    file = file_of(workspace, slug)
    before = (workspace.directory / file).read_text(encoding="utf-8-sig")
    template = workspace.templates[slug]

    def draft(mail: WrittenMail, origin: Origin) -> tuple[MailDraft, ...]:
        return (MailDraft(slug, file, mail, mail_file(slug, mail, origin, before)),)

    def wrong(_: WrittenMail, drafts: tuple[MailDraft, ...]) -> list[str]:
        return _wrong(workspace, drafts, (how, before), at, limits)

    split = split_front(before)
    question = Question(
        Feature.EMAIL,
        "refine",
        {
            **for_mail(workspace, (slug,)),
            "template": {
                "subject": template.subject,
                "preheader": template.preheader or "",
                "body": split[1] if split is not None else template.body,
            },
        },
        WrittenMail,
        words={**TOKENS, "how": how, "format": template.format.upper()},
    )
    return before, Written(*await written(asker, question, draft, wrong, at=at, fresh=fresh))


def _wrong(
    workspace: Workspace,
    drafts: tuple[MailDraft, ...],
    known: tuple[str, ...],
    at: datetime,
    limits: Limits,
) -> list[str]:
    """All that is wrong with templates, a line each."""
    if misshapen := [f"{one.file}: {wrong}" for one in drafts for wrong in one.mail.misshapen]:
        return misshapen
    files = {one.file: one.text for one in drafts}
    drafted = with_drafts(workspace, files, at, limits)
    wrong = problems_of(workspace, drafted, files)
    for one in drafts:
        wrong += strange_tokens(workspace, drafted, one)
        wrong += unfit_content(workspace, drafted, one, known, at)
    return wrong


def strange_tokens(workspace: Workspace, drafted: Workspace, draft: MailDraft) -> list[str]:
    """Tokens of journeys that no journey has which sends it: those that do are checked with it."""
    known = for_mail(drafted, (draft.slug,))["tokens"]["my"]
    before = workspace.tokens.get(draft.slug, frozenset())  # what it spoke of before is not new
    return [
        f"{draft.file}:1: error unknown-variable: no journey that sends {draft.slug} has the token my.{name}"
        for name in sorted(drafted.tokens.get(draft.slug, frozenset()) - before - set(known))
    ]


def unfit_content(
    workspace: Workspace, drafted: Workspace, draft: MailDraft, known: tuple[str, ...], at: datetime
) -> list[str]:
    """What a template may not hold, and links that lead where nobody has said."""
    domain = sender_domain(workspace)
    wrong = unfit_mail(workspace, drafted, draft.slug, draft.mail, known, domain=domain, at=at)
    return [f"{draft.file}:1: error {one}" for one in wrong]
