"""E-mail templates: YAML front matter and a body of MJML or HTML, both with Liquid."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict

from caravan.journeys.addresses import is_mailable, split_name
from caravan.journeys.fields import FieldCatalog
from caravan.journeys.liquid import BadLiquid, Used, has_liquid, problem_of, variables
from caravan.journeys.mjml import BadMjml, html_of
from caravan.journeys.problems import Problem, Severity
from caravan.journeys.reading import Fields
from caravan.journeys.source import read_documents
from caravan.journeys.visible_text import has_words

MOST_BYTES = 1024 * 1024
LARGE_MAIL = 100 * 1024

_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?\n", re.DOTALL | re.MULTILINE)
_EMPTY_LINK = re.compile(r"""href\s*=\s*(""|''|"#"|'#')""")


class TemplateDocument(BaseModel):
    """One template, as written; ``body`` keeps its Liquid."""

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
    format: Literal["mjml", "html"]


@dataclass
class TemplateFile:
    """A template that was read, with what is wrong with it and what it takes from its journey."""

    template: TemplateDocument | None
    problems: list[Problem] = field(default_factory=list)
    tokens: list[Used] = field(default_factory=list)  # my.…, checked per journey


def read_template(file: str, slug: str, text: str, catalog: FieldCatalog) -> TemplateFile:
    """Read and check a template file; ``slug`` and format come from its name."""
    read = TemplateFile(None)
    document = f"email:{slug}"

    def report(code: str, line: int, message: str, severity: Severity = "error") -> None:
        read.problems.append(
            Problem(
                file=file,
                line=line,
                document=document,
                node=None,
                code=code,
                message=message,
                severity=severity,
            )
        )

    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        report("document-too-large", 1, "a template may have at most 1 MB")
        return read
    if "\x00" in text:
        report("bad-value", text.count("\n", 0, text.index("\x00")) + 1, "has a NUL character")
        return read
    match = _FRONT.match(text)
    if match is None:
        report(
            "missing-key",
            1,
            "a template begins with front matter between --- lines, naming email and subject",
        )
        return read
    sources, faults = read_documents(match[1])
    for fault in faults:
        report(fault.code, fault.line + 1, fault.message)
    if not sources:
        return read
    lines = sources[0]

    def at_key(
        code: str, path: tuple[str | int, ...], message: str, *, severity: Severity = "error"
    ) -> None:
        report(code, lines.line(path) + 1, message, severity)

    fields = Fields(lines.data, (), at_key)
    name = fields.text("email")
    if name is not None and name != slug:
        fields.problem("bad-value", "email", f"email: {name} must be the file's name, {slug}")
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
    operational = fields.boolean("operational", default=False)
    track_opens = fields.boolean("track_opens", default=True)
    track_clicks = fields.boolean("track_clicks", default=True)
    fields.finish()
    body = text[match.end() :]
    body_line = text.count("\n", 0, match.end())
    places = [(value or "", lines.line((key,)), True) for key, value in headers.items()]
    places.append((body, body_line, False))
    used: list[Used] = []
    for value, line, one_line in places:
        try:
            for variable in variables(value):
                at = line + 1 if one_line else line + variable.line
                placed = Used(variable.segments, at)
                used.append(placed)
                message = problem_of(placed, catalog, person=True, my=None)
                if message is not None:
                    report("unknown-variable", at, message)
        except BadLiquid as error:
            report(
                "bad-value", line + (1 if one_line else error.line), f"not Liquid: {error.message}"
            )
    readable = not any(problem.code == "bad-value" for problem in read.problems)
    read.tokens = [variable for variable in used if variable.segments[0] == "my"]
    if not body.strip():
        report("missing-key", body_line + 1, "the e-mail has no body")
    elif file.endswith(".mjml") and readable:  # where its Liquid is wrong, its MJML cannot be told
        try:
            html_of(body)
        except BadMjml as error:
            report("bad-value", body_line + error.line, f"not MJML: {error.message}")
    _warn(body, body_line, used, operational, report)
    if not any(problem.severity == "error" for problem in read.problems):
        read.template = TemplateDocument(
            email=slug,
            subject=subject or "",
            preheader=headers["preheader"],
            operational=operational,
            track_opens=track_opens,
            track_clicks=track_clicks,
            from_=headers["from"],
            reply_to=headers["reply_to"],
            body=body,
            format="mjml" if file.endswith(".mjml") else "html",
        )
    return read


def _warn(
    body: str,
    line: int,
    used: list[Used],
    operational: bool,
    report: Callable[[str, int, str, Severity], None],
) -> None:
    if not operational and not any(variable.segments[0] == "unsubscribe_link" for variable in used):
        report(
            "no-unsubscribe-link",
            line + 1,
            "no unsubscribe_link: a footer with it is added",
            "warning",
        )
    if body.strip() and not has_words(body):
        report(
            "empty-text-part",
            line + 1,
            "no words: who reads mail as text sees nothing; add words, or alt: to the pictures",
            "warning",
        )
    for match in _EMPTY_LINK.finditer(body):
        report(
            "empty-link",
            line + body.count("\n", 0, match.start()) + 1,
            "a link leads nowhere",
            "warning",
        )
    if len(body.encode()) > LARGE_MAIL:
        report("email-too-large", line + 1, "over 100 KB: some mailboxes cut it", "warning")
