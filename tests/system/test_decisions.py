"""A decision as a user has it: worker and model are processes and sockets, and the worker dies; or there is no model."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.deciding import ACCOUNTS, JOURNEY, PEOPLE, says
from tests.deployed import Deployed
from tests.scripted_model import HANG, ScriptedService, serving

WORKSPACE = (
    """
workspace: deciding
subscription: {munchkin: decide-1, sandbox: decide-box}
data: data/
---
audience: everyone
of: accounts
when: {account: {name: {empty: false}}}
---
"""
    + JOURNEY
)


@pytest.fixture
async def service() -> AsyncIterator[ScriptedService]:
    async with serving(HANG, says()) as running:
        yield running


@pytest.fixture
def system() -> Iterator[Deployed]:
    with tempfile.TemporaryDirectory(prefix="caravan decides ", ignore_cleanup_errors=True) as top:
        new = Deployed(Path(top), "decide-1", WORKSPACE)
        new.write("data/accounts.csv", ACCOUNTS)
        new.write("data/people.csv", PEOPLE)
        new.stack.start(["postgres", "temporal", "mail"])
        yield new
        new.stack.discard()


@pytest.mark.long
async def test_a_worker_killed_while_a_model_thinks_is_followed_by_one_that_asks_the_same(
    system: Deployed, service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in service.environment(AI_API_KEY="hush-hush").items():
        monkeypatch.setenv(name, value)
    system.cli("apply", str(system.folder))
    system.stack.start_worker([])
    async with asyncio.timeout(60):
        while not service.asked:  # which says nothing
            await asyncio.sleep(0.05)
    system.kill("worker")
    assert await system.count("select count(*) from decisions where edge is null") == 1
    system.stack.start_worker([])
    await system.until("select count(*) from decisions where edge = '1'", 1)
    first, second = service.asked
    assert (first.instructions, first.user) == (second.instructions, second.user)
    [journey] = system.json("account", "show", "acme")["journeys"]
    step = next(one for one in journey["steps"] if one["command"] == "decide")
    assert (step["outcome"], step["because"]["reason"]) == ("Hot", "person 1 is keen")
    assert journey["decisions"][0]["tries"] == 2
    log = (system.stack.home / "logs" / "worker.log").read_text(encoding="utf-8")
    for secret in ("hush-hush", "Annika", "Acme", "keen"):
        assert secret not in log
    sent = f"{second.instructions}{second.user}"
    for secret in ("Annika", "Bergstr", "Acme", "acme", "ann@"):
        assert secret not in sent


async def test_without_a_model_everybody_takes_otherwise_and_is_told_what_to_set(
    system: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AI_MODEL", "AI_BASE_URL", "AI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    system.cli("apply", str(system.folder))
    system.stack.start_worker([])
    await system.until("select count(*) from decisions where cause = 'no-model'", 1)
    told = system.cli("account", "show", "acme")
    assert "decided: otherwise" in told
    assert "set AI_MODEL" in told
    log = (system.stack.home / "logs" / "worker.log").read_text(encoding="utf-8")
    assert "Traceback" not in log
