"""Answers that were given, kept a while for the same question asked again."""

from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from caravan.ai_settings import Feature
from caravan.database.pool import Pool
from caravan.engage import sql

T = TypeVar("T", bound=BaseModel)


async def kept(engage: Pool, digest: str, shape: type[T], at: datetime) -> T | None:
    """What was answered to this question and is still good."""
    row = await sql.fetchrow(engage, "kept_ai_answer", digest=digest, at=at)
    if row is None:
        return None
    try:
        return shape.model_validate_json(row["answer"])
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
