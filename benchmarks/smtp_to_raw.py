"""Mail by the send activity's code against a bare loop over the same relay.

Both have 10 connections to a sink, a process of its own, that answers each message after 50 ms. Ours sends steps
of accounts with 20 people: it claims a step in the ledger, writes 20 mails, gives each its last word, hands it
over, notes the verdict, and concludes the step, as an activity does. The bare loop has 10 aiosmtplib clients
that stay connected and send one ready-made mail of the same size over and over. In alternating rounds;
one of each warms up and does not count. No DKIM, no rates.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiosmtplib

from benchmarks.figures import Figure, Target, significant
from benchmarks.ground import Ground, Pair
from benchmarks.journey_to_floor import admitted
from caravan.campaigns import sending
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.plans import PlanCache
from caravan.delivery.capture import CaptureTransport
from caravan.delivery.smtp import SmtpTransport

CONNECTIONS = 10
PEOPLE = 20
ROUNDS = 3
ACCOUNTS = 30  # of a round
WARM_UP = 10


async def measure(ground: Ground) -> list[Figure]:
    """The ratio of the rates over all rounds."""
    async with ground.pair("smtp-to-raw", "post") as pair, AsyncExitStack() as running:
        port = await running.enter_async_context(sink())
        await admitted(pair, WARM_UP + ROUNDS * ACCOUNTS + 1, "post", PEOPLE)
        rows = await pair.engage.fetch("select id from traversals order by id")
        traversals = iter([row["id"] for row in rows])
        plans = PlanCache()
        captured = CaptureTransport()
        await _send(pair, plans, Mailing(captured), next(traversals))
        mail = captured.messages[0].content
        clients = [await running.enter_async_context(_client(port)) for _ in range(CONNECTIONS)]
        mailing = Mailing(SmtpTransport(f"smtp://127.0.0.1:{port}"))

        async def ours(accounts: int) -> float:
            some = iter([next(traversals) for _ in range(accounts)])
            return await _timed(_steps(pair, plans, mailing, some) for _ in range(CONNECTIONS))

        async def raw(accounts: int) -> float:
            mails = iter(range(accounts * PEOPLE))
            return await _timed(_loop(client, mail, mails) for client in clients)

        await ours(WARM_UP)
        await raw(WARM_UP)
        ours_seconds, raw_seconds = [], []
        for _ in range(ROUNDS):
            ours_seconds.append(await ours(ACCOUNTS))
            raw_seconds.append(await raw(ACCOUNTS))
        accepted = await pair.engage.fetchval(
            "select count(*) from ledger where state = 'accepted'"
        )
    if accepted != len(rows) * PEOPLE:
        raise AssertionError(f"{accepted} mails of {len(rows)} accounts were accepted")
    mails = ACCOUNTS * PEOPLE
    return [
        Figure(
            "smtp_to_raw",
            significant(sum(raw_seconds) / sum(ours_seconds)),
            Target("at least", 0.7),
            "of a bare loop's rate",
            {
                "mails_per_second": significant(mails * ROUNDS / sum(ours_seconds)),
                "raw_per_second": significant(mails * ROUNDS / sum(raw_seconds)),
                "rounds": [significant(mails / one) for one in ours_seconds],
                "raw_rounds": [significant(mails / one) for one in raw_seconds],
                "bytes": len(mail),
            },
        )
    ]


@asynccontextmanager
async def sink() -> AsyncIterator[int]:
    """The relay; gives its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.mail_sink",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def _client(port: int) -> AsyncIterator[aiosmtplib.SMTP]:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
        yield client


async def _loop(client: aiosmtplib.SMTP, mail: bytes, mails: Iterator[int]) -> None:
    for number in mails:
        await client.sendmail("news@grid.example", f"person-{number}@power.example", mail)


async def _steps(pair: Pair, plans: PlanCache, mailing: Mailing, traversals: Iterator[int]) -> None:
    for traversal_id in traversals:
        await _send(pair, plans, mailing, traversal_id)


async def _send(pair: Pair, plans: PlanCache, mailing: Mailing, traversal_id: int) -> None:
    """As the activity of a workflow whose journey begins with mail."""
    sent = await sending.send(
        pair.engage,
        plans,
        mailing,
        traversal_id=traversal_id,
        step_no=1,
        claimant=f"benchmark/{traversal_id}",
        now=lambda: datetime.now(UTC),
        go_on=True,
    )
    if sent.ended is None:
        raise AssertionError(f"traversal {traversal_id} has not come to its end")


async def _timed(lanes: Iterable[Coroutine[Any, Any, None]]) -> float:
    began = time.perf_counter()
    await asyncio.gather(*lanes)
    return time.perf_counter() - began
