"""How long a listening account takes to go on: 200 events sent to the gateway at ten a second.

200 accounts listen. Every tenth of a second an event of one more of them is posted to `/events` of a
real `caravan gateway` process, by itself. The clock of an account starts when the answer has come and stops
when another connection sees the step behind the listen committed, looking every 20 ms. In between are the
real streams of a real worker process: the Platform's outbox, the down-flow, the match, the wake-up's signal
by Temporal, and the step.
"""

import asyncio
import time
from datetime import UTC, datetime

import httpx

from benchmarks import data
from benchmarks.figures import Figure, Target, percentile, significant
from benchmarks.gateway import gateway
from benchmarks.ground import Ground, NotReached, Pair, reached
from caravan.engage import event_keys
from starter.apply import apply_workspace

#: as many a second as enter in entry_seconds
ACCOUNTS, PER_SECOND = 200, 10
LOOK_EVERY = 0.02

_LISTENING = "select count(*) from listeners where node = 'hear' and closed_at is null"

_STEPPED = """
select a.external_id
from accounts a join traversals t on t.account_id = a.id
where not a.external_id = any($1::text[])
  and exists (select from steps s where s.traversal_id = t.id and s.node = 'mark')
"""


async def measure(ground: Ground) -> list[Figure]:
    """Let all accounts listen, then send."""
    async with ground.pair("wake-seconds", "ears") as pair:
        numbers = range(ACCOUNTS)
        await pair.load(data.accounts_file(pair.folder, numbers))
        await pair.load(data.people_file(pair.folder, numbers, per_account=1))
        ground.stack.start_worker([], name="wake-worker")
        try:
            await apply_workspace(
                pair.settings, pair.stores, pair.workspace, draft=False, data=False
            )

            async def all_listen() -> bool:
                return bool(await pair.engage.fetchval(_LISTENING) == ACCOUNTS)

            await reached("all accounts to listen", all_listen, patience=200)
            async with gateway(pair) as port:
                waited = await _send(pair, port)
        finally:
            ground.stack.stop(only="wake-worker")
    return [
        Figure(
            "wake_seconds_p99",
            significant(percentile(waited, 0.99)),
            Target("at most", 1),
            "s",
            {
                "median": significant(percentile(waited, 0.5)),
                "p90": significant(percentile(waited, 0.9)),
                "most": significant(max(waited)),
                "events": len(waited),
            },
        )
    ]


async def _send(pair: Pair, port: int) -> list[float]:
    """Seconds from the gateway's answer to the next step, one per account."""
    key = await event_keys.new_key(pair.engage, pair.munchkin, "benchmark", datetime.now(UTC))
    answered: dict[str, float] = {}
    stepped: dict[str, float] = {}

    async def send(client: httpx.AsyncClient, number: int) -> None:
        said = {
            "id": f"event-{number}",
            "at": datetime.now(UTC).isoformat(),
            "type": "form_filled",
            "person_id": f"person-{number}-0",
            "form": "meeting",
        }
        answer = await client.post("/events", json=said)
        if answer.status_code != 200 or answer.json()["recorded"] != 1:
            raise NotReached(f"the gateway answered {answer.status_code}: {answer.text[:100]}")
        answered[f"account-{number}"] = time.monotonic()

    async def send_all(client: httpx.AsyncClient) -> None:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(ACCOUNTS):
                await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
                group.create_task(send(client, number))

    async def seen() -> bool:
        rows = await pair.engage.fetch(_STEPPED, list(stepped))
        at = time.monotonic()
        stepped.update((row["external_id"], at) for row in rows)
        return len(stepped) == ACCOUNTS

    async with (
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {key}"},
            trust_env=False,
            timeout=30,
        ) as client,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(send_all(client))
        await reached("all accounts' next steps", seen, every=LOOK_EVERY)
    # a step may be seen before the answer has come back to us
    return [max(0.0, stepped[one] - at) for one, at in answered.items()]
