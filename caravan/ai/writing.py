"""What texts that a model writes have in common: how they are asked for and mended, and whose words they are.

A text is asked for in the shape of its parts; the file is put together here, so nothing that a model says can stand in
the front matter of its own accord, an approval least of all.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import StringIO
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from caravan.ai.asking import Answer, Asker
from caravan.ai.question import Question
from caravan.ai_settings import Feature
from caravan.journeys.templates import split_front
from caravan.journeys.unseen import steers

T = TypeVar("T", bound=BaseModel)
D = TypeVar("D")

#: how often a text is written until nothing is wrong with it, the first time counted
DRAFTS = 5
#: characters of what an operator asks for
LONGEST_BRIEF = 30_000

#: tokens that prompts speak of, which look like slots of theirs
TOKENS = {
    "unsubscribe_link": "{{ unsubscribe_link }}",
    "postal_address": "{{ postal_address }}",
}

#: characters of the parts of a mail: said in the check and not in the schema, which servers make grammars of
LONGEST = {"subject": 150, "preheader": 250, "body": 100_000}


class WrittenMail(BaseModel):
    """The parts of a template."""

    model_config = ConfigDict(extra="forbid")

    subject: str
    preheader: str
    body: str

    @property
    def misshapen(self) -> list[str]:
        """What is wrong with the parts by themselves."""
        wrong = [
            f"the {name} has {len(getattr(self, name))} characters: at most {most}"
            for name, most in LONGEST.items()
            if len(getattr(self, name)) > most
        ]
        wrong += [
            f"the {name} is one line"
            for name in ("subject", "preheader")
            if len(getattr(self, name).splitlines()) > 1
        ]
        wrong += [
            f"the {name} has characters that steer what is shown around them"
            for name in LONGEST
            if steers(getattr(self, name))
        ]
        return wrong


@dataclass(frozen=True)
class Origin:
    """Where a text is from, as its file tells it."""

    model: str
    at: datetime
    digest: str
    feature: Feature

    @classmethod
    def of(cls, answer: Answer[Any], at: datetime, feature: Feature) -> "Origin":
        return cls(answer.model, at, answer.digest, feature)

    @classmethod
    def to_come(cls, at: datetime, feature: Feature) -> "Origin":
        """For a text that is only checked: as long as the one it will have."""
        return cls("a model", at, "0" * 64, feature)

    @property
    def told(self) -> dict[str, str]:
        at = self.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return {
            "model": self.model,
            "at": at,
            "digest": self.digest,
            "feature": self.feature.value,
        }

    @property
    def comment(self) -> str:
        """A line of YAML that says so, for documents, which have no front matter."""
        told = self.told
        words = f"{told['model']} at {told['at']}, {told['digest'][:16]}"
        return f"# Proposed by {json.dumps(words)[1:-1]}; read it before it is applied.\n"


class Misshapen(Exception):
    """No file can be made of what was answered. The message says why, a line each."""


async def written(
    asker: Asker,
    question: Question[T],
    draft: Callable[[T, Origin], D],
    wrong: Callable[[T, D], list[str]],
    *,
    at: datetime,
    fresh: bool,
) -> tuple[D, Answer[T]]:
    """Have a text written that is valid: what is wrong with a draft goes back to the model.

    Args:
        asker: who asks.
        question: what is wanted.
        draft: makes files of an answer, and says in them where they are from; raises ``Misshapen``.
        wrong: all that is wrong with such files, a line each.
        at: when it is written.
        fresh: write anew, whatever was written to this question before.

    Raises:
        Unanswered: nothing was written that is valid; ``wrong`` of a ``ModelFailed`` says why, line by line.
    """

    def check(value: T) -> str | None:
        try:
            drafted = draft(value, Origin.to_come(at, question.feature))
        except Misshapen as error:
            return str(error)
        return "\n".join(wrong(value, drafted)) or None

    asked = replace(question, check=check, rounds=DRAFTS)
    answer = await asker.ask(asked, at=at, fresh=fresh)
    return draft(answer.value, Origin.of(answer, at, question.feature)), answer


def mail_file(slug: str, mail: WrittenMail, origin: Origin, before: str | None = None) -> str:
    """The text of a template's file.

    Args:
        slug: the template's.
        mail: its parts.
        origin: who wrote them; nobody has approved that.
        before: the text that it is written in place of, whose other front matter stays.
    """
    round_trip = YAML()
    round_trip.preserve_quotes = True
    round_trip.width = 10_000
    split = split_front(before) if before is not None else None
    front = round_trip.load(split[0]) if split is not None else CommentedMap(email=slug)
    front["subject"] = DoubleQuotedScalarString(mail.subject)
    if mail.preheader or "preheader" in front:
        front["preheader"] = DoubleQuotedScalarString(mail.preheader)
    front.pop("approved_by", None)
    front.pop("generated", None)
    front["generated"] = _in_one_line(origin.told)
    out = StringIO()
    round_trip.dump(front, out)
    return f"---\n{out.getvalue()}---\n{mail.body.strip()}\n"


def _in_one_line(told: Mapping[str, str]) -> CommentedMap:
    line = CommentedMap({key: DoubleQuotedScalarString(value) for key, value in told.items()})
    line.fa.set_flow_style()
    return line
