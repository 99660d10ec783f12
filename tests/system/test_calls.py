"""A call as a user has it: worker, gateway and service are processes and sockets, and the worker dies."""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from caravan.services.callback import CALLBACK_PATH
from caravan.stack.stack import ROOT
from tests.contract import example
from tests.deployed import Deployed
from tests.service import OutsideService, call_back

WORKSPACE = """
workspace: calls
subscription: {{munchkin: calls-1, sandbox: calls-box}}
sender: {{name: Us, email: us@us.example}}
postal_address: 1 Street
data: data/
---
audience: everyone
of: accounts
when: {{account: {{name: {{empty: false}}}}}}
---
service: enrich
url: {url}
auth: {{api_key_env: ENRICH_KEY}}
attributes: {{apiKey: {{env: ENRICH_KEY}}}}
fields:
  out: {{accountId: account.account_id, accountName: account.name}}
  in: {{employeeCount: account.employees}}
---
journey: trip
audience: everyone
schedule: {{end: 30 days}}
start: ask
nodes:
  ask:
    call: enrich
    with: {{enrichmentType: all}}
    paths: [{{label: Large, when: {{accountTier: enterprise}}, end: large}}]
    end: small
"""


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OutsideService]:
    new = OutsideService(example("account-enrichment"))
    await new.start()
    monkeypatch.setenv("SERVICE_HOSTS", f"127.0.0.1:{new.port}")
    monkeypatch.setenv("ENRICH_KEY", "k-1")
    yield new
    assert new.faults == []
    await new.stop()


@pytest.fixture
def system(service: OutsideService) -> Iterator[Deployed]:
    with tempfile.TemporaryDirectory(prefix="caravan calls ", ignore_cleanup_errors=True) as top:
        new = Deployed(Path(top), "calls-1", WORKSPACE.format(url=service.url))
        new.write("data/accounts.csv", "account_id,name\nacme,Acme\n")
        new.stack.start(["postgres", "temporal", "mail", "gateway"])
        yield new
        new.stack.discard()


async def test_a_worker_killed_while_it_asks_is_followed_by_one_that_asks_the_same(
    system: Deployed, service: OutsideService
) -> None:
    public = system.stack.notes["public_url"]
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        assert (await client.get(f"{public}/health")).json() == {"status": "healthy"}
    system.cli("apply", str(system.folder))
    service.hold.clear()  # it has the request, and has not said so yet
    system.stack.start_worker([])
    await service.until(1)
    system.kill("worker")
    service.hold.set()
    assert await system.count("select count(*) from calls where state = 'claimed'") == 1
    system.stack.start_worker([])
    await service.until(2)
    first, second = service.requests
    assert first["token"] == second["token"]
    assert second["callbackUrl"] == f"{public}{CALLBACK_PATH}"
    account = int(second["objectData"]["objectContext"]["accountId"])
    body = {
        "objectData": [
            {
                "activityData": {"success": True},
                "accountData": {
                    "id": account,
                    "employeeCount": 7,
                    "accessorValues": {"accountTier": "enterprise"},
                },
            }
        ]
    }
    answers = await asyncio.gather(
        *(call_back(second["callbackUrl"], second["token"], body) for _ in range(5))
    )
    said = sorted(answer.json()["status"] for answer in answers)
    assert said == ["recorded", *["repeated"] * 4]
    await system.until("select count(*) from traversals where label = 'large'", 1)
    [journey] = system.json("account", "show", "acme")["journeys"]
    assert journey["steps"][-1]["outcome"] == "Large"
    log = (system.stack.home / "logs" / "worker.log").read_text(encoding="utf-8")
    assert "k-1" not in log
    assert second["token"] not in log


async def services(folder: Path) -> tuple[int, list[dict[str, object]]]:
    """What ``caravan services`` says; the service answers meanwhile."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "starter", "services", str(folder), "--format", "json",
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    return process.returncode or 0, json.loads(said)


async def test_services_are_compared_with_their_calls_before_anything_is_published(
    service: OutsideService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ws.yaml").write_text(WORKSPACE.format(url=service.url), encoding="utf-8")
    code, [row] = await services(tmp_path)
    assert (code, row["serves"], row["problems"]) == (0, "account", None)
    service.definition["invocationPayloadDef"]["flowAttributes"] = []
    code, [row] = await services(tmp_path)
    assert (code, row["problems"]) == (1, ["trip, ask: it has no attribute enrichmentType (with)"])
    monkeypatch.setenv("SERVICE_HOSTS", "elsewhere.example")
    code, [row] = await services(tmp_path)
    assert code == 1
    assert "SERVICE_HOSTS" in str(row["problems"])
    assert service.requests == []
