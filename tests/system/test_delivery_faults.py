"""Sends through a relay whose every word may go wrong, by worker processes that are killed at random words.

Whatever happens: no message is lost, none is taken twice, and each that nobody can know about is listed as in
doubt. `caravan prove` says the same at the end. What goes wrong is drawn by a seed.
"""

import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.deployed import Deployed
from tests.troubled_relay import ANYWHERE, CODES, TroubledRelay

SEED = 20260302
PEOPLE = 5
WORKERS = ("worker", "worker-2")

WORKSPACE = """
workspace: faults
subscription: {munchkin: faults-1, sandbox: faults-box}
sender: {name: Us, email: us@us.example}
postal_address: 1 Street
data: data/
---
audience: everyone
of: accounts
when: {account: {name: {empty: false}}}
---
journey: post
audience: everyone
schedule: {end: 30 days}
start: mail
nodes:
  mail: {do: [{send_email: {template: hi}}], end: over}
"""

#: what waits is due at once: its quarter of an hour is nothing to wait for in a test
HURRY = "update ledger set until = now() where state in ('deferred', 'held') and until > now()"
UNSETTLED = "state in ('claimed', 'handed_over', 'deferred', 'held')"


class Killing:
    """Kills workers at chosen words of the relay, and starts them again.

    In turn one of them, whatever is being said, and both as the relay has taken a message and nobody knows yet.
    """

    def __init__(self, system: Deployed, at: list[int]) -> None:
        self._system = system
        self._at = sorted(at)
        self._killed: asyncio.Queue[str] = asyncio.Queue()
        self.kills = 0

    def on_word(self, number: int, phase: str) -> None:
        both = self.kills % 2 == 0
        if not self._at or number < self._at[0] or (both and phase != "DOT"):
            return
        self._at.pop(0)
        self.kills += 1
        for name in WORKERS if both else (WORKERS[self.kills % len(WORKERS)],):
            if self._system.stack.runs(name):
                self._system.signal(name, 9)
                self._killed.put_nowait(name)

    async def restart(self) -> None:
        while True:
            name = await self._killed.get()
            while self._system.stack.runs(name):
                await asyncio.sleep(0.02)
            self._system.stack.start_worker([], name=name)


@pytest.fixture
async def top() -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory(prefix="caravan faults ", ignore_cleanup_errors=True) as top:
        yield Path(top)


@pytest.mark.parametrize(
    ("messages", "kills", "seed"),
    [
        pytest.param(200, 3, SEED, marks=pytest.mark.timeout(300)),
        pytest.param(2000, 25, SEED + 1, marks=[pytest.mark.long, pytest.mark.timeout(1500)]),
    ],
)
async def test_none_lost_none_twice_each_ambiguity_listed(
    top: Path, monkeypatch: pytest.MonkeyPatch, messages: int, kills: int, seed: int
) -> None:
    system = Deployed(top, "faults-1", WORKSPACE)
    chance = random.Random(seed)
    # a message is some six words of the relay
    killing = Killing(system, [chance.randrange(60, messages * 5) for _ in range(kills)])
    relay = TroubledRelay(seed, share=0.05, on_word=killing.on_word)
    relay.greylists = {"p0@", "p1@"}  # these go by the delivery queue
    await relay.start()
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{relay.port}")
    accounts = range(messages // PEOPLE)
    system.write(
        "data/accounts.csv", "account_id,name\n" + "".join(f"a{n},Acme {n}\n" for n in accounts)
    )
    system.write(
        "data/people.csv",
        "person_id,email,account_id\n"
        + "".join(f"p{n}-{m},p{m}@a{n}.example,a{n}\n" for n in accounts for m in range(PEOPLE)),
    )
    system.stack.start(["postgres", "temporal"])
    restarting = asyncio.create_task(killing.restart())
    try:
        await asyncio.to_thread(system.cli, "apply", str(system.folder))
        for name in WORKERS:
            system.stack.start_worker([], name=name)
        await all_settled(system, relay, len(accounts), messages)
        assert killing.kills == kills
        await judge(system, relay, messages)
        await resolve(system, relay)
    finally:
        restarting.cancel()
        system.stack.discard()
        await relay.stop()


async def all_settled(system: Deployed, relay: TroubledRelay, accounts: int, messages: int) -> None:
    """Until every account is through and nothing waits; troubles end when most are."""
    conn = await system.connect()
    try:
        since = time.monotonic()
        while True:
            await conn.execute(HURRY)
            if await conn.fetchval(
                "select exists (select from journeys where paused_at is not null)"
            ):
                # so many fail that the journey is paused: whoever looks after it lets it go on
                await asyncio.to_thread(system.cli, "journey", "resume", "post")
            settled, unsettled, ended = await conn.fetchrow(
                f"select count(*), count(*) filter (where {UNSETTLED}),"
                " (select count(*) from traversals where ended_at is not null) from ledger"
            )
            if (ended, settled, unsettled) == (accounts, messages, 0):
                return
            # with waits that double, the last few would take minutes
            relay.calm = settled - unsettled > messages * 0.75
            assert time.monotonic() - since < 200 + messages / 2, (settled, unsettled, ended)
            await asyncio.sleep(0.25)
    finally:
        await conn.close()


async def judge(system: Deployed, relay: TroubledRelay, messages: int) -> None:
    rows = {
        row["message_id"]: row["state"]
        for row in await system.rows("select message_id, state from ledger")
    }
    assert len(rows) == messages
    assert [identity for identity, times in relay.taken.items() if times > 1] == []
    assert set(relay.taken) <= set(rows)
    doubtful = {identity for identity, state in rows.items() if state == "in_doubt"}
    accepted = {identity for identity, state in rows.items() if state == "accepted"}
    assert accepted <= set(relay.taken)
    assert set(relay.taken) - accepted <= doubtful
    assert Counter(rows.values()).keys() <= {"accepted", "in_doubt", "refused"}
    # the troubles were real, everywhere, and most of the mail went all the same
    assert {phase for phase, _ in relay.troubles} >= set(CODES) - {"RSET"}
    assert {trouble for _, trouble in relay.troubles} >= set(ANYWHERE)
    assert len(accepted) > messages * 0.75
    queued = await system.count("select count(*) from ledger where queued = 'deferred'")
    assert queued >= messages // PEOPLE * 2 * 0.8
    listed = await asyncio.to_thread(system.json, "deliveries", "--in-doubt", "--limit", "10000")
    assert {row["message_id"] for row in listed} == doubtful
    assert doubtful
    told = await prove(system, relay)
    assert told["ledger"] == dict(Counter(rows.values()))
    assert told["mail"]["taken"] == len(relay.taken)
    assert told["histories"]["messages told"] == messages
    print(
        relay.troubles,
        Counter(rows.values()),
        told,
        await system.rows("select state, queued, count(*), max(tries) from ledger group by 1,2"),
        time.monotonic(),
    )
    sent = await system.count("select count(*) from activities where type = 'email_sent'")
    assert sent == len(accepted)


async def prove(system: Deployed, relay: TroubledRelay) -> Any:
    log = system.folder / "relay.jsonl"
    log.write_text(
        "".join(json.dumps({"message_id": one}) + "\n" for one in relay.taken.elements())
    )
    return await asyncio.to_thread(system.json, "prove", "--log", str(log))


async def resolve(system: Deployed, relay: TroubledRelay) -> None:
    """What a person finds in the relay's log settles what is in doubt; what is not there is sent again, once."""
    relay.calm = True
    doubtful = await asyncio.to_thread(system.json, "deliveries", "--in-doubt", "--limit", "10000")
    for row in doubtful:
        said = ["--sent"] if row["message_id"] in relay.taken else ["--not-sent", "--resend"]
        await asyncio.to_thread(system.cli, "delivery", "resolve", row["message_id"], *said)
    await system.until(
        "select count(*) from ledger where state in ('accepted', 'refused')",
        await system.count("select count(*) from ledger"),
    )
    assert max(relay.taken.values()) == 1
    told = await prove(system, relay)
    assert told["ledger"].get("in_doubt") is None
    assert told["mail"]["taken"] == told["ledger"]["accepted"]
