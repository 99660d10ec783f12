"""Having a model choose a path: its prompt, and the shape of its answer."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from caravan.ai.asking import Asker
from caravan.ai.path_choice import LONGEST_REASON, Choice, PathQuestion
from caravan.ai.question import Question
from caravan.ai_settings import Feature
from caravan.journeys.unseen import in_one_line

PROMPT = "decide"
#: of one try, whatever AI_TIMEOUT: the activity that asks has longer
LONGEST = timedelta(minutes=10)
#: characters of a reason that is taken at all; more is no answer
LONGEST_SAID = 2000


class PathAnswer(BaseModel):
    """Which path fits the account."""

    path: str
    confidence: float = Field(ge=0, le=1, description="how sure you are, from 0 to 1")
    reason: str = Field(
        max_length=LONGEST_SAID,
        description="why, in one sentence that names the facts that decided",
    )


@lru_cache(maxsize=200)
def one_of(names: tuple[str, ...]) -> type[PathAnswer]:
    """The answer to a question with these paths: its shape allows no other, which many servers hold a model to."""
    description = "the name of one of the paths, exactly as it is given"
    path: Any = (Literal[names], Field(description=description))
    return create_model("PathAnswer", __base__=PathAnswer, path=path)


async def choose(asker: Asker, question: PathQuestion, at: datetime) -> Choice:
    """Have the model choose.

    Raises:
        Unanswered: it did not.
    """
    asked = Question(
        Feature.DECIDE,
        PROMPT,
        question.facts.model_dump(mode="json", exclude_none=True),
        one_of(tuple(question.paths)),
        words={"paths": _written(question.paths)},
        within=LONGEST,
    )
    answer = await asker.ask(asked, at=at)
    said = answer.value
    return Choice(
        path=said.path,
        confidence=said.confidence,
        reason=" ".join(in_one_line(said.reason).split())[:LONGEST_REASON],
        digest=answer.digest,
        model=answer.model,
    )


def _written(paths: Mapping[str, str]) -> str:
    """The paths as the author wrote them; quoted, so that a name cannot run into a prompt."""
    return "\n".join(
        f"{number}. {json.dumps(name, ensure_ascii=False)}: {' '.join(prompt.split())}"
        for number, (name, prompt) in enumerate(paths.items(), start=1)
    )
