"""Texts with sample data in them, by production's own renderer and under its limits: what would fail at each send fails
while there is somebody who can mend it, and what Liquid says can be read.

There is no row of data in it: a field is as full as its type lets it be, or empty. And where a text says different
things to different people, each is said once.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from caravan.delivery.compose import compile_body, render
from caravan.delivery.errors import UnfitText
from caravan.delivery.liquid import render_text
from caravan.journeys.fields import FieldCatalog, FieldType
from caravan.journeys.liquid import GROUP_FIELDS
from caravan.journeys.shield import pieces_of
from caravan.journeys.templates import TemplateDocument

T = TypeVar("T")

_VALUES: dict[FieldType, object] = {
    "string": "Sample",
    "integer": 1200,
    "number": 1200.5,
    "boolean": True,
    "date": "2026-01-31",
    "datetime": "2026-01-31T08:00:00Z",
}
_GROUP = {"completeness": 50, "engagement": 50, "qualified": True}
#: what stands for itself, wherever a message says it
LINKS = {
    "unsubscribe_link": "https://unsubscribe.invalid/u",
    "view_link": "https://view.invalid/v",
    "postal_address": "1 Sample Street",
}
_BRANCHING = re.compile(r"\{%-?\s*(?:if|elsif|else|endif|unless|endunless|case|when|endcase)\b")


@dataclass(frozen=True)
class Sample:
    """Data, and whether every branch is taken with it."""

    said: str
    data: dict[str, Any]
    every_branch: bool = False


@dataclass
class Tried(Generic[T]):
    """What texts came to, and why others cannot be sent."""

    made: list[T] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SampleMail:
    """A mail as a recipient would get it; ``words`` is what is read of it."""

    html: str
    words: str


def samples(
    catalog: FieldCatalog, my: Mapping[str, str], at: datetime
) -> tuple[Sample, Sample, Sample]:
    """The data that texts are tried with; ``my``: the tokens of their journey."""
    full = _data(catalog, my, at, lambda kind: _VALUES[kind])
    full["buying_group"] = {name: _GROUP.get(name, "Sample") for name in GROUP_FIELDS}
    empty = _data(catalog, my, at, lambda kind: None)
    empty["buying_group"] = dict.fromkeys(GROUP_FIELDS)
    return (
        Sample("with sample data", full),
        Sample("where every field is empty", empty),
        Sample("with every branch taken", full, every_branch=True),
    )


def mails(template: TemplateDocument, samples: tuple[Sample, ...]) -> Tried[SampleMail]:
    """A template as mails."""
    return _each(samples, lambda sample: _mail(template, sample))


def texts(text: str, samples: tuple[Sample, ...]) -> Tried[str]:
    """A text of an action, as it would be said."""
    return _each(
        samples,
        lambda sample: render_text(_unbranched(text) if sample.every_branch else text, sample.data),
    )


def _each(samples: tuple[Sample, ...], make: Callable[[Sample], T]) -> Tried[T]:
    tried: Tried[T] = Tried()
    for sample in samples:
        try:
            tried.made.append(make(sample))
        except UnfitText as error:
            tried.failed.append(f"{sample.said} it cannot be sent: {error}")
    return tried


def _mail(template: TemplateDocument, sample: Sample) -> SampleMail:
    if sample.every_branch:
        template = _with_every_branch(template)
    made = render(compile_body(template), sample.data)
    preheader = render_text(template.preheader or "", sample.data)
    return SampleMail(made.html, "\n".join((made.subject, preheader, made.text)))


def _data(
    catalog: FieldCatalog,
    my: Mapping[str, str],
    at: datetime,
    value: Callable[[FieldType], object],
) -> dict[str, Any]:
    return {
        **{
            entity: {name: value(kind) for name, kind in catalog.of(entity).items()}
            for entity in ("account", "person")
        },
        **LINKS,
        "my": dict(my),
        "now": at,
    }


def _with_every_branch(template: TemplateDocument) -> TemplateDocument:
    written = template.model_dump(exclude_none=True)
    return TemplateDocument(
        **{
            **written,
            **{key: _unbranched(written.get(key, "")) for key in ("subject", "preheader", "body")},
            "fragments": {name: _unbranched(text) for name, text in template.fragments.items()},
        }
    )


def _unbranched(text: str) -> str:
    """The text without the tags that choose: each of its parts is said."""
    return "".join(_pieces(text))


def _pieces(text: str) -> Iterator[str]:
    at = 0
    for start, end in pieces_of(text):
        yield text[at:start]
        if not _BRANCHING.match(text[start:end]):
            yield text[start:end]
        at = end
    yield text[at:]
