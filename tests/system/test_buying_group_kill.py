"""kill -9 of the worker in the middle of a buying-group job: another goes on, and nothing is done twice."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployed import Deployed

ACCOUNTS, PEOPLE = 4000, 2

WORKSPACE = """
workspace: kill
subscription: {munchkin: kill-2, sandbox: kill-box-2}
sender: {name: Us, email: us@us.example}
postal_address: 1 Street
data: data/
---
audience: everyone
of: accounts
when: {account: {name: {empty: false}}}
---
roles_template: team
roles:
  - {role: decision-maker, required: true, when: {person: {job_title: Chief}}}
  - {role: practitioner, required: true, members_required: 2, when: {person: {job_title: Engineer}}}
---
solution_interest: grid
roles_template: team
---
buying_groups: all
solution_interest: grid
audience: everyone
"""


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    monkeypatch.setenv("SMTP_URL", "smtp://127.0.0.1:9")  # nobody is written to
    with tempfile.TemporaryDirectory(prefix="caravan kill ", ignore_cleanup_errors=True) as top:
        new = Deployed(Path(top), "kill-2", WORKSPACE)
        accounts = range(ACCOUNTS)
        new.write(
            "data/accounts.csv", "account_id,name\n" + "".join(f"a{n},Acme {n}\n" for n in accounts)
        )
        titles = ("Chief", "Engineer")
        new.write(
            "data/people.csv",
            "person_id,email,job_title,account_id\n"
            + "".join(
                f"p{n}-{m},p{m}@a{n}.example,{titles[m]},a{n}\n"
                for n in accounts
                for m in range(PEOPLE)
            ),
        )
        new.stack.start(["postgres", "temporal"])
        yield new
        new.stack.discard()


@pytest.mark.long
async def test_a_job_survives_the_death_of_its_worker(system: Deployed) -> None:
    system.cli("apply", str(system.folder))
    system.stack.start_worker([])
    groups = "select count(*) from buying_groups"
    await system.until(groups, ACCOUNTS // 4)
    system.kill("worker")
    # it was in the middle of it
    assert await system.count(groups) < ACCOUNTS
    system.stack.start_worker([])
    members = "select count(*) from buying_group_members where removed_at is null"
    await system.until(members, ACCOUNTS * PEOPLE)
    await system.until("select count(*) from buying_group_jobs where flow_at is not null", 1)
    # each of it once
    assert await system.count(groups) == ACCOUNTS
    for kind, expected in (
        ("added_to_buying_group", ACCOUNTS * PEOPLE),
        ("completeness_changed", ACCOUNTS),
        ("removed_from_buying_group", 0),
    ):
        assert (
            await system.count(f"select count(*) from activities where type = '{kind}'") == expected
        )
    assert await system.count(f"{groups} where completeness = 75") == ACCOUNTS

    # and in the middle of the daily run
    before = (await system.rows("select max(kept_at) from buying_groups"))[0][0]
    system.cli("buying-group", "upkeep")
    looked_at = f"{groups} where kept_at > '{before.isoformat()}'"
    await system.until(looked_at, 1)
    system.kill("worker")
    system.stack.start_worker([])
    await system.until(looked_at, ACCOUNTS)
    assert await system.count(
        "select count(*) from activities where type like '%buying_group%'"
    ) == (ACCOUNTS * PEOPLE)
