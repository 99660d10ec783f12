"""Audiences over 1,000,000 accounts and 5,000,000 people against SQL written by hand for the same questions.

``benchmarks/audience_workspace`` has the audiences, ``sql/audience_questions.sql`` the same questions as
somebody would ask them who knows the tables, and ``sql/population.sql`` the data. What is compared is
finding who is in: both queries give all ids in order, packed into one value, so that neither pays for the
client. They take turns, the best of each counts, and they must have found the same. The figure is the
worst of the ratios; each is in the details.

Writing the membership is not in the ratio, for the query by hand writes nothing. The details have what the
whole evaluation took beside it, the first one of all, which writes everybody's row and when each may change by
time alone (``whole_seconds``).

It takes ten minutes and 12 GB of disk, so it is no part of ``make bench``; ``BENCH_ACCOUNTS=100000``
makes it smaller, for whoever works on the compiler.
"""

import os
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Target, significant
from benchmarks.ground import Ground, NotReached, Pair
from caravan.database.queries import Queries
from caravan.journeys.workspace import load_workspace
from caravan.platform import audiences
from caravan.platform.whole_evaluation import evaluate_whole

ACCOUNTS = int(os.environ.get("BENCH_ACCOUNTS", "1000000"))
BYTES_PER_ACCOUNT = 12_000
ROUNDS = 3
AT = datetime(2026, 11, 1, tzinfo=UTC)
FOLDER = Path(__file__).parent
#: questions in which no time is named
TIMELESS = {"large-energy", "open-deals", "energy-buyers"}

queries = Queries.beside(__file__)


async def measure(ground: Ground) -> list[Figure]:
    """Fill a sandbox and ask it everything both ways."""
    free = shutil.disk_usage(ground.folder.parent).free
    if free < ACCOUNTS * BYTES_PER_ACCOUNT:
        raise NotReached(f"{free / 1e9:.0f} GB of disk are too few for {ACCOUNTS} accounts")
    workspace = load_workspace(FOLDER / "audience_workspace", AT)
    said = audiences.written(workspace.audiences, "UTC")
    async with ground.pair("audience-to-sql", "r1") as pair:
        await _populate(pair)
        asked = {slug: await _compare(pair, slug, said) for slug in said}
        async with pair.platform.acquire() as conn, conn.transaction():
            for document in workspace.audiences.values():
                await audiences.store(conn, document, "UTC", AT)
        for slug, told in asked.items():
            began = time.perf_counter()
            await evaluate_whole(pair.platform, slug, AT)
            told["whole_seconds"] = significant(time.perf_counter() - began)
    return [
        Figure(
            "audience_to_sql",
            max(told["ratio"] for told in asked.values()),
            Target("at most", 1.3),
            "× SQL by hand",
            {"accounts": ACCOUNTS, "people": 5 * ACCOUNTS, "audiences": asked},
        )
    ]


async def _populate(pair: Pair) -> None:
    async with pair.platform.acquire() as conn:
        await conn.execute("set transaction_timeout = 0")
        await conn.execute("set session_replication_role = replica")  # no keys to check: they fit
        for table in ("accounts", "people", "activities"):
            await queries.execute(conn, f"populate_{table}", accounts=ACCOUNTS, at=AT)
        for table in ("relations", "opportunities"):
            await queries.execute(conn, f"populate_{table}", accounts=ACCOUNTS)
        await conn.execute("vacuum analyze")
        await conn.execute("reset session_replication_role")
        await conn.execute("reset transaction_timeout")


async def _compare(
    pair: Pair, slug: str, said: dict[str, audiences.StoredAudience]
) -> dict[str, Any]:
    """The best time of each, after as many turns."""
    by_hand, compiled = [], []
    name = slug.replace("-", "_")
    named = {} if slug in TIMELESS else {"at": AT}
    async with pair.platform.acquire() as conn, conn.transaction():
        await conn.execute("set local transaction_timeout = 0")
        for _ in range(ROUNDS):
            began = time.perf_counter()
            wanted = await queries.fetchval(conn, name, **named)
            by_hand.append(time.perf_counter() - began)
            began = time.perf_counter()
            found = await audiences.matching(conn, slug, said, AT)
            compiled.append(time.perf_counter() - began)
            found.byteswap()
            if (wanted or b"") != found.tobytes():
                raise AssertionError(f"{slug}: the two do not answer the same question")
    told = {
        "members": len(found),
        "ratio": significant(min(compiled) / min(by_hand)),
        "seconds": significant(min(compiled)),
        "by_hand_seconds": significant(min(by_hand)),
    }
    # whoever ends it early knows those before
    print(f"  {slug}: {told['ratio']} ({told['seconds']} s)", file=sys.stderr, flush=True)
    return told
