"""Clicks a second through the gateway: a real `caravan gateway` process, over HTTP connections that are kept alive.

1,000 people have been mailed, each account listens for a click. Every link of every message is followed once;
each click is answered after it is committed and has closed its listener's question. The first click of a
message wakes its account, as in production.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks import data
from benchmarks.figures import Figure, Target, percentile, significant
from benchmarks.gateway import KEY, gateway
from benchmarks.ground import Ground, NotReached, Pair
from benchmarks.inside import let_in
from caravan.campaigns import stretch
from caravan.campaigns.mail_together import send_together
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.plans import PlanCache
from caravan.delivery.capture import CaptureTransport
from caravan.delivery.links import LinkKeys, links_of

MESSAGES, LINKS = 1_000, 5
#: connections that are kept alive, each with one click under way
CONNECTIONS = 16
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass(frozen=True)
class Clicked:
    """What following the links came to."""

    seconds: float
    waits: list[float]  # of each click, in seconds


async def measure(ground: Ground) -> list[Figure]:
    """Mail everybody, start a gateway, follow all links."""
    async with ground.pair("gateway-clicks", "clicked") as pair:
        numbers = range(1, MESSAGES + 1)
        await pair.load(data.accounts_file(pair.folder, numbers))
        await pair.load(data.people_file(pair.folder, numbers, per_account=1))
        await _mail_all(pair)
        async with gateway(pair) as port:
            clicked = await _follow_all(port, await _paths(pair))
        count = await pair.engage.fetchval(
            "select count(*) from activities where type = 'email_clicked' and not fields ? 'bot'"
        )
        listening = await pair.engage.fetchval("select count(*) from listeners")
        woken = await pair.engage.fetchval("select count(distinct traversal_id) from wakeups")
    if count != MESSAGES * LINKS or woken != MESSAGES:
        raise NotReached(f"{count} clicks were recorded and {woken} of {listening} accounts woken")
    rate = len(clicked.waits) / clicked.seconds
    return [
        Figure(
            "gateway_clicks_per_s",
            significant(rate),
            Target("at least", 500),
            "/s",
            {"clicks": len(clicked.waits), "connections": CONNECTIONS},
        ),
        Figure(
            "gateway_click_ms_p99",
            significant(percentile(clicked.waits, 0.99) * 1000),
            Target("at most", 100),
            "ms",
            {"median": significant(percentile(clicked.waits, 0.5) * 1000)},
        ),
    ]


async def _mail_all(pair: Pair) -> None:
    """Publish, let everybody in and mail them, in this process; their messages are dated a minute ago."""
    plans, at = PlanCache(), datetime.now(UTC)
    traversals = await let_in(pair, plans, "clicked")
    mailing = Mailing(CaptureTransport(keep=False))
    for traversal in traversals:
        sent = await send_together(
            pair.engage,
            plans,
            mailing,
            traversal_id=traversal,
            step_no=0,
            claimant="benchmark",
            at=at,
        )
        await stretch.run(pair.engage, plans, traversal, len(sent.outcomes), at)
    await pair.engage.execute("update ledger set settled_at = settled_at - interval '1 minute'")
    await pair.engage.execute("vacuum analyze")


async def _paths(pair: Pair) -> list[str]:
    links = links_of("", LinkKeys([KEY]))(pair.munchkin)
    rows = await pair.engage.fetch("select id from ledger where state = 'accepted' order by id")
    if len(rows) != MESSAGES:
        raise NotReached(f"{len(rows)} messages of {MESSAGES} were sent")
    return [
        links.clicked(row["id"], f"https://us.example/page/{number}")
        for number in range(LINKS)
        for row in rows
    ]


async def _follow_all(port: int, paths: Sequence[str]) -> Clicked:
    """Follow every link once, a connection after another taking the next.

    The requests are written by hand: an HTTP library would take more of the two cores than the gateway does.
    """
    waits: list[float] = []
    coming = iter(paths)

    async def follow() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for path in coming:
            began = time.monotonic()
            writer.write(
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: {BROWSER}\r\n\r\n".encode()
            )
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            waits.append(time.monotonic() - began)
            if not head.startswith(b"http/1.1 302") or b"content-length: 0\r\n" not in head:
                raise NotReached(f"the gateway answered {head[:40]!r}")
        writer.close()

    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(follow())
    return Clicked(time.monotonic() - began, waits)
