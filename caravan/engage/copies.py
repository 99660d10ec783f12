"""Changing e-mail copy in versions that run: beside the plan, which never changes.

Messages that are not written yet are written with it; what was sent says in the ledger which copy it was.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.engage import sql
from caravan.engage.plans import load_plan
from caravan.journeys.copy_fit import misfits
from caravan.journeys.templates import TemplateDocument


class DoesNotFit(Exception):
    """The copy cannot be used in some version that runs; nothing was changed."""


@dataclass(frozen=True)
class Changed:
    """A version that sends the template: the number of its copy, None where it says so already."""

    journey: str
    version: int
    copy: int | None


async def publish(pool: Any, copy: TemplateDocument, at: datetime) -> list[Changed]:
    """Change a template's copy in all versions that run and send it, or in none.

    Raises:
        DoesNotFit: some of them knows a variable not, say.
    """
    changed: list[Changed] = []
    problems: list[str] = []
    async with pool.acquire() as conn, conn.transaction():
        for row in await sql.fetch(conn, "running_versions_that_send", template=copy.email):
            plan = await load_plan(conn, row["plan_hash"])
            problems += [f"{row['slug']} v{row['version']}: {one}" for one in misfits(copy, plan)]
            number = None
            if not problems:
                number = await _change(conn, row["id"], plan.templates[copy.email], copy, at)
            changed.append(Changed(row["slug"], row["version"], number))
        if problems:
            raise DoesNotFit("; ".join(problems))
    return changed


async def _change(
    conn: Any, journey_id: int, published: TemplateDocument, copy: TemplateDocument, at: datetime
) -> int | None:
    copies = {
        row["template"]: (row["copy"], row["body"])
        for row in await sql.fetch(conn, "live_copies", journey_id=journey_id)
    }
    now = copies[copy.email][1] if copy.email in copies else published.model_dump(mode="json")
    body = copy.model_dump(mode="json")
    if body == now:
        return None
    number = await sql.fetchval(
        conn, "insert_copy", journey_id=journey_id, template=copy.email, body=body, at=at
    )
    copies[copy.email] = (number, body)
    await sql.execute(conn, "note_copies", journey_id=journey_id, copies_hash=hash_of(copies))
    return int(number)


def hash_of(copies: Mapping[str, tuple[int, Any]]) -> str:
    """What a version's row says of its copies: their numbers and bodies, by template."""
    canonical = json.dumps(copies, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
