"""Answers that were given, kept a while for the same question asked again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from caravan.ai.features import Feature
from caravan.database.pool import Pool
from caravan.engage import sql

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Kept(Generic[T]):
    """An answer of an earlier call."""

    value: T
    call: int


async def kept(engage: Pool, digest: str, answer: type[T], at: datetime) -> Kept[T] | None:
    """What was answered to this question and is still good."""
    row = await sql.fetchrow(engage, "kept_ai_answer", digest=digest, at=at)
    if row is None:
        return None
    try:
        return Kept(answer.model_validate_json(row["answer"]), row["call_id"])
    except ValidationError:  # its checks have changed, though not its shape
        return None


async def keep(
    engage: Pool,
    digest: str,
    feature: Feature,
    value: BaseModel,
    call: int,
    at: datetime,
    life: timedelta | None,
) -> None:
    """Keep an answer for so long; None: until it is forgotten by hand."""
    await sql.execute(
        engage,
        "keep_ai_answer",
        digest=digest,
        feature=feature.value,
        answer=value.model_dump_json(by_alias=True),
        call_id=call,
        at=at,
        expires_at=None if life is None else at + life,
    )
