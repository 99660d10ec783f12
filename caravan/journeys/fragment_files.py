"""The fragments of a workspace: read once, checked by themselves and wherever a mail takes them in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from caravan.journeys.conditions.parse import nearest
from caravan.journeys.fields import FieldCatalog
from caravan.journeys.fragments import FOLDER
from caravan.journeys.liquid import (
    ROOTS,
    BadLiquid,
    Rendered,
    Used,
    body_variables,
    nonsense_in,
    problem_of,
)
from caravan.journeys.mail_html import MailFormat

#: told of a problem: code, file, line, the fragment it is of or None, message
Report = Callable[[str, str, int, str | None, str], None]


class Key(NamedTuple):
    """A fragment goes by its name, and into mails of its own format alone."""

    name: str
    format: MailFormat


@dataclass(frozen=True)
class FragmentFile:
    """A fragment as it was read; ``sound`` where mails can be made with it."""

    key: Key
    file: str
    text: str
    used: list[Used] = field(default_factory=list)
    rendered: list[Rendered] = field(default_factory=list)
    sound: bool = True

    @property
    def wanted(self) -> list[Used]:
        """What it must be given by name."""
        return [one for one in self.used if one.segments[0] not in ROOTS]


Fragments = dict[Key, FragmentFile]


def read_fragment(
    file: str, key: Key, text: str, catalog: FieldCatalog, report: Report
) -> FragmentFile:
    """Read a fragment and check what can be told of it alone."""
    if text.startswith("---"):
        message = "a fragment has no front matter: what it says is all mark-up"
        report("bad-value", file, 1, key.name, message)
        return FragmentFile(key, file, text, sound=False)
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        report("bad-value", file, line, key.name, "has a NUL character")
        return FragmentFile(key, file, text, sound=False)
    try:
        used, rendered = body_variables(text)
    except BadLiquid as error:
        report("bad-value", file, error.line, key.name, f"not Liquid: {error.message}")
        return FragmentFile(key, file, text, sound=False)
    for one in used:
        if one.segments[0] in ROOTS:
            wrong = problem_of(one, catalog, person=True, my=None, group=True)
            if wrong is not None:
                report("unknown-variable", file, one.line, key.name, wrong)
    for fault in nonsense_in(text, catalog):
        report(fault.code, file, fault.line, key.name, fault.message)
    return FragmentFile(key, file, text, used, rendered)


def check_nesting(fragments: Fragments, report: Report) -> None:
    """A fragment may take in others, and those none (product.md §5.2: nested one level)."""
    for fragment in fragments.values():
        for one in fragment.rendered:
            inner = fragments.get(Key(one.name, fragment.key.format))
            name = fragment.key.name
            if inner is None:
                message = unknown(one.name, fragment.key.format, fragments)
                report("unknown-template", fragment.file, one.line, name, message)
            elif inner is fragment:
                message = f"fragment {name} takes in itself"
                report("circular-reference", fragment.file, one.line, name, message)
            elif inner.rendered:
                message = (
                    f"fragment {one.name} takes in {inner.rendered[0].name}: "
                    "what a fragment takes in may take in no other"
                )
                report("bad-value", fragment.file, one.line, name, message)
            else:
                _check_given(fragment.file, one, inner, report)


def unknown(name: str, written_in: MailFormat, fragments: Fragments) -> str:
    """That there is no such fragment, and what may have been meant."""
    other: MailFormat = "html" if written_in == "mjml" else "mjml"
    if Key(name, other) in fragments:
        return (
            f"fragment {name} is {other}, and this is {written_in}: "
            f"put a {name}.{written_in} beside {fragments[Key(name, other)].file}"
        )
    known = [key.name for key in fragments if key.format == written_in]
    return f"no fragment {FOLDER}/{name}.{written_in}{nearest(name, known)}"


def _check_given(file: str, rendered: Rendered, fragment: FragmentFile, report: Report) -> None:
    """Whether a fragment is given all it wants, and nothing by a name that means something."""
    for name in sorted(rendered.given & ROOTS):
        message = f"{name} is known in every fragment: give it another name"
        report("bad-value", file, rendered.line, None, message)
    for one in fragment.wanted:
        if one.segments[0] not in rendered.given:
            root = one.segments[0]
            message = (
                f"no variable {root}{nearest(root, [*ROOTS, *rendered.given])}, and "
                f"{file}:{rendered.line} gives none: "
                f"{{% render '{rendered.name}', {root}: … %}}"
            )
            report("unknown-variable", fragment.file, one.line, fragment.key.name, message)


@dataclass(frozen=True)
class TakenIn:
    """What a body takes in, directly or by a fragment; ``sound`` where it can be made."""

    fragments: dict[str, FragmentFile]
    sound: bool

    @property
    def texts(self) -> dict[str, str]:
        return {name: fragment.text for name, fragment in sorted(self.fragments.items())}


def taken_in(
    file: str,
    written_in: MailFormat,
    body_line: int,
    rendered: list[Rendered],
    fragments: Fragments,
    report: Report,
) -> TakenIn:
    """Follow what a body takes in, and check what it gives."""
    found: dict[str, FragmentFile] = {}
    sound = True
    for one in rendered:
        placed = Rendered(one.name, one.line + body_line, one.given)
        fragment = fragments.get(Key(one.name, written_in))
        if fragment is None:
            message = unknown(one.name, written_in, fragments)
            report("unknown-template", file, placed.line, None, message)
            sound = False
            continue
        _check_given(file, placed, fragment, report)
        sound = sound and one.given >= {used.segments[0] for used in fragment.wanted}
        for reached in _with_inner(fragment, fragments):
            found[reached.key.name] = reached
            sound = sound and reached.sound
    return TakenIn(found, sound)


def _with_inner(fragment: FragmentFile, fragments: Fragments) -> Iterator[FragmentFile]:
    yield fragment
    for one in fragment.rendered:
        inner = fragments.get(Key(one.name, fragment.key.format))
        if inner is not None and inner is not fragment:
            yield inner
