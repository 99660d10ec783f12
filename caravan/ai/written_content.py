"""What a model may write into mail and journeys: nothing that acts, leads where nobody said, or fails at each send.

Texts are looked at as they are written and as they would be sent. What a template had before is not held against who
changes it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Protocol

from caravan.ai import sample_texts
from caravan.ai.linked_hosts import hosts_of, invented_links, invented_sites
from caravan.ai.mail_markup import CONVERTED, acting_markup, assembled_links
from caravan.journeys.actions import Action
from caravan.journeys.cross_checks import actions_of
from caravan.journeys.mail_html import mail_html
from caravan.journeys.shield import shield
from caravan.journeys.source import read_documents
from caravan.journeys.templates import TemplateDocument
from caravan.journeys.unseen import steers
from caravan.journeys.workspace import Workspace

_STEERS = "says characters that steer what is shown around them"
#: of an action: what is a name, a condition, or is looked at by itself
_NO_TEXTS = frozenset({"kind", "who", "to"})


class MailParts(Protocol):
    """A template or what is to become one."""

    @property
    def subject(self) -> str: ...
    @property
    def preheader(self) -> str | None: ...
    @property
    def body(self) -> str: ...


def unfit_mail(
    workspace: Workspace,
    drafted: Workspace,
    slug: str,
    mail: MailParts,
    known: tuple[str, ...],
    *,
    domain: str | None,
    at: datetime,
) -> list[str]:
    """What is wrong with the content of a mail.

    Args:
        workspace: as it is.
        drafted: as it would be.
        slug: the template's.
        mail: what was written.
        known: texts whose addresses it may link to.
        domain: the sender's, under which it may link too.
        at: the instant.
    """
    known = (*known, *_tokens(workspace, slug).values())
    wrong = _in_writing(mail, known, domain)
    if slug in drafted.templates:
        wrong += _as_sent(drafted, drafted.templates[slug], known, domain, at)
    before = workspace.templates.get(slug)
    if wrong and before is not None:
        told = {
            *_in_writing(before, known, domain),
            *_as_sent(workspace, before, known, domain, at),
        }
        wrong = [one for one in wrong if one not in told]
    return list(dict.fromkeys(wrong))


def _in_writing(mail: MailParts, known: tuple[str, ...], domain: str | None) -> list[str]:
    text = "\n".join((mail.subject, mail.preheader or "", mail.body))
    return [
        *map("bad-link: {}".format, invented_links(text, *known, domain=domain)),
        *map("bad-link: {}".format, assembled_links(mail.body)),
        *map("bad-value: {}".format, acting_markup(mail.body)),
    ]


def _as_sent(
    workspace: Workspace,
    template: TemplateDocument,
    known: tuple[str, ...],
    domain: str | None,
    at: datetime,
) -> list[str]:
    slug = template.email
    my = dict.fromkeys(workspace.tokens.get(slug, ()), "Sample") | _tokens(workspace, slug)
    fragments = template.fragments.values()  # a team's own
    tried = sample_texts.mails(template, sample_texts.samples(workspace.catalog, my, at))
    known = (*known, *fragments, *sample_texts.LINKS.values(), _converted(template))
    wrong = [f"bad-value: {failed}" for failed in tried.failed]
    for mail in tried.made:
        links = invented_links(mail.html, *known, domain=domain)
        links += invented_sites(mail.words, *known, domain=domain)
        wrong += [f"bad-link: {link}" for link in links]
        wrong += [f"bad-value: {acting}" for acting in acting_markup(mail.html, but=CONVERTED)]
        if steers(mail.words):  # an entity of HTML can say so too
            wrong.append(f"bad-value: {_STEERS}")
    theirs = {f"bad-value: {acting}" for one in fragments for acting in acting_markup(one)}
    return [one for one in wrong if one not in theirs]


def _converted(template: TemplateDocument) -> str:
    """The addresses of a template's HTML without its Liquid.

    Those that were written are looked at where they are written; the converter of MJML adds its own, of fonts and of
    the icons of ``mj-social``.
    """
    html = shield(mail_html(template.whole.text, template.format)).text
    return " ".join(f"https://{host}" for host in hosts_of(html))


def _tokens(workspace: Workspace, slug: str) -> dict[str, str]:
    """The tokens of the journeys that send a template."""
    return {
        name: value
        for journey in workspace.journeys.values()
        if any(one.kind == "send_email" and one.template == slug for one in actions_of(journey))
        for name, value in journey.tokens.items()
    }


def unfit_document(text: str, brief: str, *, domain: str | None) -> list[str]:
    """Links of a file of documents that lead where the brief does not say, and what steers in it.

    A scalar of YAML is another text than what is written: escapes and folded lines count as what they say.
    """
    scalars = [word for source in read_documents(text)[0] for word in _strings(source.data)]
    links = [link for one in (text, *scalars) for link in invented_links(one, brief, domain=domain)]
    return [*dict.fromkeys(links), *([_STEERS] if any(map(steers, scalars)) else [])]


def unfit_texts(
    workspace: Workspace, drafted: Workspace, brief: str, *, domain: str | None, at: datetime
) -> list[str]:
    """What is wrong with the tokens and the texts of a proposal's journeys and campaigns."""
    return [
        f"{where}: {wrong}"
        for where, my, actions in _new(workspace, drafted)
        for wrong in dict.fromkeys(
            _in_texts(my, actions, sample_texts.samples(drafted.catalog, my, at), brief, domain)
        )
    ]


def _in_texts(
    my: dict[str, str],
    actions: Iterable[Action],
    samples: tuple[sample_texts.Sample, ...],
    brief: str,
    domain: str | None,
) -> Iterator[str]:
    said = list(my.values())
    for action in actions:
        for text in _strings(action.model_dump(exclude=set(_NO_TEXTS), mode="json")):
            tried = sample_texts.texts(text, samples)
            yield from tried.failed
            said += tried.made
    for one in said:
        if steers(one):
            yield _STEERS
        yield from invented_links(one, brief, domain=domain)
        yield from invented_sites(one, brief, domain=domain)


def _new(
    workspace: Workspace, drafted: Workspace
) -> Iterator[tuple[str, dict[str, str], Iterable[Action]]]:
    for slug, journey in drafted.journeys.items():
        if slug not in workspace.journeys:
            yield f"journey {slug}", journey.tokens, actions_of(journey)
    for slug, campaign in drafted.campaigns.items():
        if slug not in workspace.campaigns:
            yield f"campaign {slug}", {}, campaign.actions


def _strings(data: Any) -> Iterator[str]:
    """All texts of nested data, names too."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for name, value in data.items():
            yield from _strings(name)
            yield from _strings(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _strings(value)
