"""Having a model choose a path: its prompt, and the shape of its answer."""

import json
import re
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from caravan.ai.asking import Asker
from caravan.ai.features import Feature
from caravan.ai.path_choice import Choice, Question

PROMPT = "decide"
#: characters of a reason that are kept; the rest is cut off
LONGEST_REASON = 300
_UNPRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


class PathAnswer(BaseModel):
    """Which path fits the account."""

    path: str
    confidence: float = Field(ge=0, le=1, description="how sure you are, from 0 to 1")
    reason: str = Field(description="why, in one sentence that names the facts that decided")


@lru_cache(maxsize=200)
def one_of(names: tuple[str, ...]) -> type[PathAnswer]:
    """The answer to a question with these paths: its shape allows no other, which many servers hold a model to."""
    description = "the name of one of the paths, exactly as it is given"
    path: Any = (Literal[names], Field(description=description))
    return create_model("PathAnswer", __base__=PathAnswer, path=path)


async def choose(asker: Asker, question: Question, at: datetime) -> Choice:
    """Have the model choose.

    Raises:
        Unanswered: it did not.
    """
    answer = await asker.ask(
        Feature.DECIDE,
        PROMPT,
        question.facts.model_dump(mode="json", exclude_none=True),
        one_of(tuple(question.names)),
        at=at,
        words={"paths": _written(question)},
    )
    said = answer.value
    return Choice(
        path=said.path,
        confidence=said.confidence,
        reason=_UNPRINTED.sub(" ", said.reason).strip()[:LONGEST_REASON],
        digest=answer.digest,
        model=answer.model,
    )


def _written(question: Question) -> str:
    """The paths as the author wrote them; quoted, so that a name cannot run into a prompt."""
    return "\n".join(
        f"{number}. {json.dumps(name, ensure_ascii=False)}: {' '.join(path.prompt.split())}"
        for number, (name, path) in enumerate(
            zip(question.names, question.paths, strict=True), start=1
        )
    )
