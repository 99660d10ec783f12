"""Removing what has grown old, a small batch at a time: changes, steps, events and the log of models, as the settings say.

A change goes only behind the one reader its outbox has, so nothing is lost however slow that is; so does an event
that the Platform is still to be told. Steps go only
where no version of the journey runs, and not those that sent (``prove``). An event goes only where nothing that
is stored names its type: no audience, list, journey, template or score model can tell that it is gone. What
became of messages stays as long as the ledger that it belongs to, for reports and ``prove`` read it. How often
an account has entered is in ``entries``, which is never touched.
"""

import time
from datetime import datetime
from typing import Any

from caravan.database import outbox
from caravan.database.outbox import Cursor
from caravan.engage import sql
from caravan.journeys.events import TOLD
from caravan.platform import activity_stream, down_flow
from caravan.platform import sql as platform_sql
from caravan.platform.merge import stream_of
from caravan.retention import Retention

BATCH = 5000
TRAVERSALS = 200
#: what became of messages: report_emails.sql and messages_to_prove read it beside the ledger
OF_MESSAGES = frozenset(
    {
        "email_opened",
        "email_clicked",
        "email_bounced",
        "email_unsubscribed",
        "sms_delivered",
        "sms_bounced",
    }
)


async def forget_some(
    engage: Any,
    platform: Any,
    munchkin: str,
    retention: Retention,
    at: datetime,
    seconds: float,
) -> int:
    """Remove batch after batch until nothing is old enough or so many seconds have passed."""
    until, gone = time.monotonic() + seconds, 0
    while batch := await forget_page(engage, platform, munchkin, retention, at):
        gone += batch
        if time.monotonic() >= until:
            break
    return gone


async def forget_page(
    engage: Any, platform: Any, munchkin: str, retention: Retention, at: datetime
) -> int:
    """Remove one batch of each kind; returns how many rows went, 0 when nothing is old enough."""
    gone = 0
    if retention.outbox is not None:
        before = at - retention.outbox
        async with platform.acquire() as conn:
            taken_up, _ = await outbox.where(conn, stream_of(munchkin))
        async with engage.acquire() as conn:
            taken_down, _ = await outbox.where(conn, down_flow.STREAM)
            gone += await outbox.forget(conn, taken_up, before, BATCH)
        async with platform.acquire() as conn:
            gone += await outbox.forget(conn, taken_down, before, BATCH)
    if retention.steps is not None:
        rows = await sql.fetch(
            engage, "forget_steps", before=at - retention.steps, limit=TRAVERSALS
        )
        gone += len(rows)
    if retention.events is not None:
        gone += await _forget_events(engage, platform, munchkin, at - retention.events)
    if retention.ai_calls is not None:
        before = at - retention.ai_calls
        gone += len(await sql.fetch(engage, "forget_ai_calls", before=before, limit=BATCH))
        await sql.fetch(engage, "forget_ai_days", before=before.date())
    gone += len(await sql.fetch(engage, "forget_ai_answers", at=at, limit=BATCH))
    return gone


async def _forget_events(engage: Any, platform: Any, munchkin: str, before: datetime) -> int:
    said = await sql.fetch(engage, "words_in_use")
    said += await platform_sql.fetch(platform, "words_in_audiences")
    kept = sorted({row["word"] for row in said} | OF_MESSAGES)
    told = await activity_stream.told_upto(platform, munchkin)
    upto, _ = told or (Cursor(), 0)
    here = await sql.fetch(
        engage,
        "forget_activities",
        before=before,
        kept=kept,
        to_tell=sorted(TOLD) if told else [],
        told_xid=upto.xid,
        told_id=upto.seq,
        limit=BATCH,
    )
    there = await platform_sql.fetch(
        platform, "forget_events", before=before, kept=kept, limit=BATCH
    )
    return len(here) + len(there)
