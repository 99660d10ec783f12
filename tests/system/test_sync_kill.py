"""kill -9 of the worker on either side of the sync's commit: each change is in the Platform once."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from caravan.platform.sandboxes import schema_of_sandbox
from tests.deployed import Deployed

WORKSPACE = """
workspace: sync
subscription: {munchkin: sync-1, sandbox: sync-box}
sender: {name: Us, email: us@us.example}
postal_address: 1 Street
data: data/
---
audience: everyone
of: accounts
when: {account: {name: {empty: false}}}
---
journey: rest
audience: everyone
schedule: {end: 30 days}
start: rest
nodes:
  rest: {wait: 20 days}
"""

# the last that the sync writes before it commits
GATE = """
create function pass_gate() returns trigger language plpgsql as $$
begin perform pg_advisory_xact_lock(77); return new; end $$;
create trigger gate before update on cursors for each row when (new.stream like 'up:%')
  execute function pass_gate();
"""
AT_GATE = "from pg_locks where locktype = 'advisory' and not granted and objid = 77"

WRITE = """
with changed as (
  update accounts set attributes = attributes || jsonb_build_object('city', $1::text),
                      stamps = stamps || jsonb_build_object('city', stamp(now()))
  returning id
)
insert into changes (entity, id, fields, as_of, origin)
select 'account', id, jsonb_build_object('city', $1::text), now(), 'journey' from changed
"""


@pytest.fixture
def system() -> Iterator[Deployed]:
    with tempfile.TemporaryDirectory(prefix="caravan sync ", ignore_cleanup_errors=True) as top:
        new = Deployed(Path(top), "sync-1", WORKSPACE)
        new.write("data/accounts.csv", "account_id,name\na,Acme\n")
        new.stack.start(["postgres", "temporal", "mail"])
        yield new
        new.stack.discard()


async def test_kill_on_either_side_of_the_commit(system: Deployed) -> None:
    system.cli("apply", str(system.folder))
    platform = await asyncpg.connect(system.stack.notes["platform_dsn"])
    await platform.execute(f'set search_path = "{schema_of_sandbox("sync-box")}"')
    engage = await system.connect()
    system.stack.start_worker([])
    await system.until("select count(*) from traversals", 1)

    await platform.execute(GATE)
    await platform.execute("select pg_advisory_lock(77)")
    await engage.execute(WRITE, "Bergen")
    await system.until(f"select count(*) {AT_GATE}", 1)
    system.kill("worker")
    # what the dead worker had asked for does not commit behind its back
    await platform.execute(f"select pg_terminate_backend(pid) {AT_GATE}")
    await platform.execute("select pg_advisory_unlock(77)")
    assert await _city(platform) is None

    system.stack.start_worker([])
    await _until_applied(platform, 1)
    system.kill("worker")  # it has committed, and reported to nobody
    assert await _city(platform) == "Bergen"
    await engage.execute(WRITE, "Kiel")
    system.stack.start_worker([])
    await _until_applied(platform, 2)
    assert await _city(platform) == "Kiel"
    told = "select count(*) from changes where origin = 'sync'"
    assert await platform.fetchval(told) == 2
    assert "none: both stores say the same" in system.cli("sync", "verify")
    system.kill("worker")  # which has nothing to end gracefully
    await engage.close()
    await platform.close()


async def _city(platform: Any) -> Any:
    return await platform.fetchval("select attributes ->> 'city' from accounts")


async def _until_applied(platform: Any, changes: int) -> None:
    async with asyncio.timeout(90):
        applied = "select applied from cursors where stream = 'up:sync-1'"
        while await platform.fetchval(applied) != changes:
            await asyncio.sleep(0.05)
