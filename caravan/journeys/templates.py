"""E-mail templates: YAML front matter and a body of MJML or HTML, both with Liquid."""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from caravan.journeys.addresses import is_mailable, split_name
from caravan.journeys.approval import read_unapproved
from caravan.journeys.conditions.parse import nearest
from caravan.journeys.fields import FieldCatalog
from caravan.journeys.fragment_files import Fragments, Key, TakenIn, taken_in
from caravan.journeys.fragments import Expanded, expand
from caravan.journeys.limits import USUAL, Limits
from caravan.journeys.liquid import (
    BadLiquid,
    Rendered,
    Used,
    body_variables,
    has_liquid,
    nonsense_in,
    problem_of,
    variables,
)
from caravan.journeys.mail_html import MailFormat, mail_html
from caravan.journeys.mjml import BadMjml, html_of
from caravan.journeys.problems import Problem, Severity
from caravan.journeys.reading import Fields
from caravan.journeys.source import Source, read_documents
from caravan.journeys.visible_text import has_words

MOST_BYTES = 1024 * 1024

_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?\n", re.DOTALL | re.MULTILINE)
_EMPTY_LINK = re.compile(r"""href\s*+=\s*+(["'])\s*+#?\s*+\1""")


class TemplateDocument(BaseModel):
    """One template, as written; ``body`` keeps its Liquid, and ``fragments`` has what it takes in."""

    model_config = ConfigDict(frozen=True)

    email: str
    subject: str
    preheader: str | None = None
    operational: bool = False
    track_opens: bool = True
    track_clicks: bool = True
    from_: str | None = None
    reply_to: str | None = None
    body: str
    format: MailFormat
    # absent, not null, where there is none: so a plan that has none keeps its hash
    solution_interest: str | None = Field(default=None, exclude_if=lambda name: name is None)
    fragments: dict[str, str] = Field(default={}, exclude_if=lambda found: not found)

    @cached_property
    def whole(self) -> Expanded:
        """The body with its fragments in place."""
        return expand(self.body, self.fragments)


class Token(NamedTuple):
    """A ``my.…`` and the file that speaks of it."""

    file: str
    used: Used


@dataclass
class TemplateFile:
    """A template that was read, with what is wrong with it and what it takes from its journey."""

    template: TemplateDocument | None
    problems: list[Problem] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)  # checked per journey
    unapproved: int | None = None
    """The line that says a model wrote it, where nobody has approved it."""


@dataclass(frozen=True)
class _Front:
    """The front matter as it was read."""

    fields: Fields
    lines: Source
    headers: dict[str, str | None]
    operational: bool
    track_opens: bool
    track_clicks: bool
    solution_interest: str | None


class _Reader:
    """Reads one file; ``read`` is what became of it."""

    def __init__(
        self,
        file: str,
        slug: str,
        catalog: FieldCatalog,
        fragments: Fragments,
        solution_interests: frozenset[str],
    ) -> None:
        self.file = file
        self.slug = slug
        self.format: MailFormat = "mjml" if file.endswith(".mjml") else "html"
        self.catalog = catalog
        self.fragments = fragments
        self.solution_interests = solution_interests
        self.read = TemplateFile(None)
        self.used: list[Used] = []
        self.rendered: list[Rendered] = []
        self.readable = True  # its body's Liquid

    def report(
        self,
        code: str,
        line: int,
        message: str,
        severity: Severity = "error",
        *,
        file: str | None = None,
        fragment: str | None = None,
    ) -> None:
        self.read.problems.append(
            Problem(
                file=file or self.file,
                line=line,
                document=f"fragment:{fragment}" if fragment else f"email:{self.slug}",
                node=None,
                code=code,
                message=message,
                severity=severity,
            )
        )

    def front(self, text: str) -> _Front | None:
        """Read the front matter."""
        sources, faults = read_documents(text)
        for fault in faults:
            self.report(fault.code, fault.line + 1, fault.message)
        if not sources:
            return None
        lines = sources[0]

        def at_key(
            code: str, path: tuple[str | int, ...], message: str, *, severity: Severity = "error"
        ) -> None:
            self.report(code, lines.line(path) + 1, message, severity)

        fields = Fields(lines.data, (), at_key)
        name = fields.text("email")
        if name is not None and name != self.slug:
            message = f"email: {name} must be the file's name, {self.slug}"
            fields.problem("bad-value", "email", message)
        subject = fields.text("subject")
        if not (subject or "").strip():
            fields.problem("missing-subject", None, "an e-mail needs a subject")
        headers = {
            "subject": subject,
            "preheader": fields.text("preheader"),
            "from": fields.text("from"),
            "reply_to": fields.text("reply_to"),
        }
        for key in ("from", "reply_to"):
            written = headers[key] or ""
            if written and not has_liquid(written) and not is_mailable(split_name(written)[1]):
                fields.problem("bad-value", key, f"{written} is not a mail address")
        interest = fields.text("solution_interest")
        if interest is not None and interest not in self.solution_interests:
            message = f"no solution interest {interest}{nearest(interest, self.solution_interests)}"
            fields.problem("unknown-solution-interest", "solution_interest", message)
        operational = fields.boolean("operational", default=False)
        track_opens = fields.boolean("track_opens", default=True)
        track_clicks = fields.boolean("track_clicks", default=True)
        unapproved = read_unapproved(fields, lines)
        self.read.unapproved = None if unapproved is None else unapproved + 1
        fields.finish()
        return _Front(fields, lines, headers, operational, track_opens, track_clicks, interest)

    def variables(self, front: _Front, body: str, body_line: int) -> None:
        """Find what its texts use, and check it against what there is."""
        for key, value in front.headers.items():
            at = front.lines.line((key,)) + 1
            try:
                self._use(front, [Used(one.segments, at) for one in variables(value or "")])
                for fault in nonsense_in(value or "", self.catalog):
                    self.report(fault.code, at, fault.message)
            except BadLiquid as error:
                self.report("bad-value", at, f"not Liquid: {error.message}")
        try:
            used, self.rendered = body_variables(body)
        except BadLiquid as error:
            self.readable = False
            self.report("bad-value", body_line + error.line, f"not Liquid: {error.message}")
        else:
            self._use(front, [Used(one.segments, body_line + one.line) for one in used])
            for fault in nonsense_in(body, self.catalog):
                self.report(fault.code, body_line + fault.line, fault.message)

    def _use(self, front: _Front, used: list[Used]) -> None:
        group = front.solution_interest is not None
        messages: dict[tuple[str, ...], str | None] = {}  # often the same, and the nearest is dear
        for one in used:
            if one.segments not in messages:
                messages[one.segments] = problem_of(
                    one, self.catalog, person=True, my=None, group=group
                )
            message = messages[one.segments]
            if message is not None:
                self.report("unknown-variable", one.line, message)
            if one.segments[0] == "my":
                self.read.tokens.append(Token(self.file, one))
        self.used += used

    def take_in(self, front: _Front, body_line: int) -> TakenIn:
        """The fragments of the body, as they fit it."""

        def report(code: str, file: str, line: int, fragment: str | None, message: str) -> None:
            self.report(code, line, message, file=file, fragment=fragment)

        taken = taken_in(self.file, self.format, body_line, self.rendered, self.fragments, report)
        for fragment in taken.fragments.values():
            self.used += fragment.used
            self.read.tokens += [
                Token(fragment.file, one) for one in fragment.used if one.segments[0] == "my"
            ]
            if front.solution_interest is None and any(
                one.segments[0] == "buying_group" for one in fragment.used
            ):
                self.report(
                    "unknown-variable",
                    body_line + self.rendered[0].line,
                    f"fragment {fragment.key.name} speaks of buying_group: "
                    "name a solution_interest in the front matter",
                )
        return taken

    def in_place(self, body: str, body_line: int, fragments: dict[str, str]) -> None:
        """Report what only the mail as a whole tells of its fragments: what they are given."""
        whole = expand(body, fragments)
        texts: dict[str | None, str] = {None: body}
        texts.update(fragments)
        told = {(one.file, one.line, one.code) for one in self.read.problems}
        for fault in nonsense_in(whole.text, self.catalog, expanded=True):
            name, line = whole.origin(fault.line, texts)
            file = self.file if name is None else self.fragments[Key(name, self.format)].file
            line += body_line if name is None else 0
            if (file, line, fault.code) not in told and not self._told_alone(
                name, line, fault.code
            ):
                by = "" if name is None else f" (in e-mail {self.slug})"
                self.report(fault.code, line, fault.message + by, file=file, fragment=name)

    def _told_alone(self, name: str | None, line: int, code: str) -> bool:
        """Whether it is wrong in a fragment wherever that is taken in, and was told of it."""
        if name is None:
            return False
        text = self.fragments[Key(name, self.format)].text
        return any((one.line, one.code) == (line, code) for one in nonsense_in(text, self.catalog))

    def html(self, body: str, body_line: int, fragments: dict[str, str]) -> str | None:
        """The HTML it becomes."""
        whole = expand(body, fragments)
        try:
            return mail_html(whole.text, self.format)
        except BadMjml as error:
            texts: dict[str | None, str] = {None: body}
            texts.update(fragments)
            name, line = whole.origin(error.line, texts)
            if not error.placed:
                name, line = self._to_blame(body, fragments), 1
            message = f"not MJML: {error.message}"
            if name is None:
                self.report("bad-value", body_line + line, message)
            else:
                file = self.fragments[Key(name, self.format)].file
                message += f" (in e-mail {self.slug})"
                self.report("bad-value", line, message, file=file, fragment=name)
            return None

    def _to_blame(self, body: str, fragments: dict[str, str]) -> str | None:
        """The fragment without which it is MJML, where the reader does not say what is wrong where."""
        for name in fragments:
            with suppress(BadMjml):
                html_of(expand(body, fragments | {name: ""}).text)
                return name
        return None


def read_template(
    file: str,
    slug: str,
    text: str,
    catalog: FieldCatalog,
    fragments: Fragments | None = None,
    solution_interests: frozenset[str] = frozenset(),
    limits: Limits = USUAL,
) -> TemplateFile:
    """Read and check a template file; ``slug`` and format come from its name."""
    reader = _Reader(file, slug, catalog, fragments or {}, solution_interests)
    read = reader.read
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        reader.report("document-too-large", 1, "a template may have at most 1 MB")
        return read
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        reader.report("bad-value", line, "has a NUL character")
        return read
    match = _FRONT.match(text)
    if match is None:
        message = "a template begins with front matter between --- lines, naming email and subject"
        reader.report("missing-key", 1, message)
        return read
    front = reader.front(match[1])
    if front is None:
        return read
    body = text[match.end() :]
    body_line = text.count("\n", 0, match.end())
    reader.variables(front, body, body_line)
    readable = not any(problem.code == "bad-value" for problem in read.problems)
    taken = reader.take_in(front, body_line)
    whole = expand(body, taken.texts) if taken.sound else None
    if reader.readable and whole is not None and taken.fragments:
        reader.in_place(body, body_line, taken.texts)
    html = None
    if not body.strip():
        reader.report("missing-key", body_line + 1, "the e-mail has no body")
    elif readable and whole is not None:  # where its Liquid is wrong, its MJML cannot be told
        html = reader.html(body, body_line, taken.texts)
    if len(taken.fragments) > limits.email_fragments:
        reader.report(
            "bad-value",
            body_line + 1,
            f"an e-mail takes in at most {limits.email_fragments} fragments, not {len(taken.fragments)} "
            + limits.over("email_fragments"),
        )
    _warn(reader, front, body, body_line, whole, html, limits)
    if not any(problem.severity == "error" for problem in read.problems):
        read.template = TemplateDocument(
            email=slug,
            subject=front.headers["subject"] or "",
            preheader=front.headers["preheader"],
            operational=front.operational,
            track_opens=front.track_opens,
            track_clicks=front.track_clicks,
            from_=front.headers["from"],
            reply_to=front.headers["reply_to"],
            body=body,
            format=reader.format,
            solution_interest=front.solution_interest,
            fragments=taken.texts,
        )
    return read


def _warn(
    reader: _Reader,
    front: _Front,
    body: str,
    body_line: int,
    whole: Expanded | None,
    html: str | None,
    limits: Limits,
) -> None:
    """What may be meant, and seldom is."""

    def warn(code: str, line: int, message: str) -> None:
        reader.report(code, line, message, "warning")

    first = body_line + 1
    if (
        reader.readable
        and not front.operational
        and not any(one.segments[0] == "unsubscribe_link" for one in reader.used)
    ):
        warn("no-unsubscribe-link", first, "no unsubscribe_link: a footer with it is added")
    shown = whole.text if whole is not None else body
    if body.strip() and not has_words(shown):
        warn(
            "empty-text-part",
            first,
            "no words: who reads mail as text sees nothing; add words, or alt: to the pictures",
        )
    for line in empty_links(body):
        warn("empty-link", body_line + line, "a link leads nowhere")
    # mailboxes cut what they get: MJML is many times as long as HTML
    if max(len(shown.encode()), len((html or "").encode())) > limits.email_kilobytes * 1024:
        warn(
            "email-too-large",
            first,
            f"over {limits.email_kilobytes} KB: some mailboxes cut it "
            + limits.over("email_kilobytes"),
        )


def split_front(text: str) -> tuple[str, str] | None:
    """The front matter of a template and its body, as they are written; None where it has none."""
    match = _FRONT.match(text)
    return (match[1], text[match.end() :]) if match is not None else None


def empty_links(text: str) -> list[int]:
    """The lines (from 1) of links that lead nowhere."""
    return [text.count("\n", 0, match.start()) + 1 for match in _EMPTY_LINK.finditer(text)]
