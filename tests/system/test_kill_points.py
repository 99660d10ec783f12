"""kill -9 of a worker that has an account at every point where something could be lost or done twice.

Each account is named after the point it is held at: by a relay that does not answer, or by a gate in
the store, where the row that comes next waits. Then one kill meets them all. Those that are to have
committed without Temporal hearing of it pass their gate while Temporal is frozen.
"""

import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deployed import Deployed
from tests.relay import HANG, Relay

#: account → the row it waits to write: its table, and its kind of step or state of message
HELD = {
    "deciding": ("steps", "choose"),
    "answered": ("ledger", "accepted"),  # the relay said yes; not settled yet
    "sent": ("steps", "send"),
}
LET_THROUGH = {
    "decided": ("steps", "choose"),
    "recorded": ("steps", "send"),
}
#: account → where the relay does not answer
HUNG = {
    "claimed": "DATA",
    "dotted": "DOT",  # the relay has the message
}
RESTING = ("resting",)
ACCOUNTS = (*HELD, *LET_THROUGH, *HUNG, *RESTING)
IN_DOUBT = {"answered", "dotted"}
PEOPLE = 2

WORKSPACE = """
workspace: kill
subscription: {munchkin: kill-1, sandbox: kill-box}
sender: {name: Us, email: us@us.example}
postal_address: 1 Street
data: data/
---
audience: everyone
of: accounts
when: {account: {name: {empty: false}}}
---
journey: points
audience: everyone
schedule: {end: 30 days}
start: fork
nodes:
  fork:
    split: accounts
    paths:
      - {label: Fresh, when: {account: {source_type: {empty: true}}}, next: mail}
    otherwise: again
  mail:
    do: [{send_email: {template: hi}}, {update_account: {field: source_type, value: seen}}]
    next: pause
  pause: {wait: 8 seconds, end: once}
  again:
    do: [{update_account: {field: source_type, value: decided twice}}]
    end: twice
"""

GATES = """
create table gates (account text primary key, relation text, mark text, key bigint);
create function pass_gate() returns trigger language plpgsql as $$
declare gate bigint;
begin
  select g.key into gate
  from gates g join accounts a on a.external_id = g.account
  join traversals t on t.account_id = a.id and t.id = new.traversal_id
  where g.relation = tg_table_name
    and g.mark = coalesce(to_jsonb(new) ->> 'kind', to_jsonb(new) ->> 'state');
  if gate is not null then
    perform pg_advisory_xact_lock(gate);
  end if;
  return new;
end $$;
create trigger gate before insert on steps for each row execute function pass_gate();
create trigger gate before update on ledger for each row execute function pass_gate();
"""
CLOSED, OPENED = 1, 2

AT_GATE = "from pg_locks where locktype = 'advisory' and not granted and objid = "


@pytest.fixture
async def relay(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Relay]:
    """What worker processes send through."""
    new = Relay()
    await new.start()
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{new.port}")
    yield new
    await new.stop()


@pytest.fixture
def system(relay: Relay) -> Iterator[Deployed]:
    with tempfile.TemporaryDirectory(prefix="caravan kill ", ignore_cleanup_errors=True) as top:
        new = Deployed(Path(top), "kill-1", WORKSPACE)
        new.write(
            "data/accounts.csv", "account_id,name\n" + "".join(f"{a},{a}\n" for a in ACCOUNTS)
        )
        new.write(
            "data/people.csv",
            "person_id,email,account_id\n"
            + "".join(f"{a}-{n},p{n}@{a}.example,{a}\n" for a in ACCOUNTS for n in range(PEOPLE)),
        )
        new.stack.start(["postgres", "temporal"])
        yield new
        new.stack.discard()


async def close_gates(conn: Any) -> None:
    """Ours until we unlock them, or close the connection."""
    await conn.execute(GATES)
    for gates, key in ((HELD, CLOSED), (LET_THROUGH, OPENED)):
        await conn.execute("select pg_advisory_lock($1)", key)
        for account, (relation, mark) in gates.items():
            await conn.execute(
                "insert into gates values ($1, $2, $3, $4)", account, relation, mark, key
            )


async def test_one_kill_at_every_point(system: Deployed, relay: Relay) -> None:
    system.cli("apply", str(system.folder))
    gates = await system.connect()
    await close_gates(gates)
    for account, phase in HUNG.items():
        relay.when(phase, HANG, about=f"@{account}.example")
    system.stack.start_worker([])

    await system.until(f"select count(*) {AT_GATE} {CLOSED}", len(HELD))
    await system.until(f"select count(*) {AT_GATE} {OPENED}", len(LET_THROUGH))
    await system.until("select count(*) from steps where kind = 'wait'", len(RESTING))
    await relay.until(lambda: relay.behaves)

    system.signal("temporal", signal.SIGSTOP)
    try:
        await gates.execute("select pg_advisory_unlock($1)", OPENED)
        await system.until(
            "select count(*) from steps s join traversals t on t.id = s.traversal_id "
            "join accounts a on a.id = t.account_id "
            "where (a.external_id, s.kind) in (('decided', 'choose'), ('recorded', 'send'))",
            len(LET_THROUGH),
        )
        system.kill("worker")
    finally:
        system.signal("temporal", signal.SIGCONT)
    before = await ledger(system)
    assert before["claimed"] == ["claimed"] * PEOPLE
    assert before["dotted"] == before["answered"] == ["claimed", "handed_over"]
    assert await system.count("select count(*) from traversals where ended_at is not null") == 0
    assert before["sent"] == before["recorded"] == ["accepted"] * PEOPLE

    # what the dead worker had asked for does not commit behind its back
    await gates.execute(f"select pg_terminate_backend(pid) {AT_GATE} {CLOSED}")
    await gates.execute("drop trigger gate on steps; drop trigger gate on ledger")
    # whoever decided again would now decide otherwise
    await gates.execute(
        "update accounts set attributes = attributes || '{\"source_type\": \"trap\"}' where external_id = 'decided'"
    )
    await gates.close()
    system.stack.start_worker([])
    await system.until(
        "select count(*) from traversals where ended_at is not null", len(ACCOUNTS), 80
    )

    ended = await system.rows("select distinct reason, label from traversals")
    assert [tuple(row) for row in ended] == [("completed", "once")]
    after = await ledger(system)
    for account in ACCOUNTS:
        doubt = ["in_doubt"] if account in IN_DOUBT else []
        assert after[account] == ["accepted"] * (PEOPLE - len(doubt)) + doubt, account
    assert sorted(recipient for recipient, _ in relay.mails) == sorted(
        f"p{n}@{account}.example" for account in ACCOUNTS for n in range(PEOPLE)
    )
    steps = await system.rows(
        "select a.external_id, string_agg(s.kind, ' ' order by s.step_no) as steps from steps s "
        "join traversals t on t.id = s.traversal_id join accounts a on a.id = t.account_id group by 1"
    )
    assert {row["external_id"]: row["steps"] for row in steps} == dict.fromkeys(
        ACCOUNTS, "choose store send store wait wait"
    )
    recorded = await system.count("select count(*) from activities where type = 'email_sent'")
    assert recorded == len(ACCOUNTS) * PEOPLE - len(IN_DOUBT)


async def ledger(system: Deployed) -> dict[str, list[str]]:
    """Of each account, the states of its messages."""
    rows = await system.rows(
        "select a.external_id, array_agg(l.state order by l.state) as states from ledger l "
        "join traversals t on t.id = l.traversal_id join accounts a on a.id = t.account_id "
        "where l.action = 'send_email' group by 1"
    )
    return {row["external_id"]: row["states"] for row in rows}
