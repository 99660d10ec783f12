"""What the Platform has no more: it leaves journeys, lists and audiences, and nothing is sent about it."""

from typing import Any

import pytest

from caravan.campaigns import audience_flow
from caravan.engage import sql
from caravan.engage.awaiting_entry import awaiting_entry
from caravan.platform import deletion
from caravan.platform.dry_run import dry_run
from caravan.platform.import_report import FileReport
from caravan.platform.imports import Importer
from tests.commands import Cli
from tests.world import World

JOURNEY = """
account_list: chosen
type: static
members: [a, b]
---
people_list: dear
type: static
members: [p]
---
audience: with-mail
of: people
when: {person: {email: {empty: false}}}
---
journey: nurture
audience: everyone
schedule: {end: 90 days}
reentry: {after: 1 day, from: end}
start: rest
nodes:
  rest: {listen: [{form_filled: {}}], next: greet}
  greet: {do: [{send_email: {template: hello}}], end: over}
"""

PEOPLE = "person_id,email,account_id\np,p@a.example,a\nq,q@b.example,b\n"
ACCOUNTS = "account_id,name\na,Acme\nb,Bolt\n"


@pytest.fixture
async def inside(world: World) -> dict[str, int]:
    """Two accounts that rest at a listen; their traversals by id."""
    workspace = world.workspace(JOURNEY, ("hello",))
    await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE)
    for traversal in await world.enter(await world.publish(workspace, "nurture")):
        await world.walk(traversal)
    await world.follow()
    rows = await world.engage.fetch(
        "select a.external_id, t.id from traversals t join accounts a on a.id = t.account_id"
    )
    return {row["external_id"]: row["id"] for row in rows}


async def flag(world: World, entity: Any, key: str, verb: Any = deletion.delete) -> None:
    world.pass_time(minutes=1)
    async with world.platform.acquire() as conn, conn.transaction():
        found = await deletion.find(conn, entity, key)
        await verb(conn, entity, [found["id"]], world.now)
    await world.follow()


async def way(world: World, traversal: int) -> Any:
    return await world.engage.fetchrow("select * from traversals where id = $1", traversal)


async def listed(world: World, of: str) -> list[str]:
    rows = await world.engage.fetch(
        f"select t.external_id from list_members m join {of} t on t.id = m.subject_id"
        " where m.of = $1 order by 1",
        of,
    )
    return [row["external_id"] for row in rows]


async def test_deleted_account_leaves_its_journey_with_the_reason_and_its_workflow_is_told(
    world: World, inside: dict[str, int]
) -> None:
    await flag(world, "account", "a")
    assert (await way(world, inside["a"]))["reason"] == "account-deleted"
    assert (await way(world, inside["b"]))["ended_at"] is None
    woken = await world.engage.fetch(
        "select traversal_id from wakeups where reason = 'account-deleted'"
    )
    assert [row["traversal_id"] for row in woken] == [inside["a"]]
    await world.happen("form_filled", person="p")
    await world.walk(inside["a"])
    assert world.mailed() == []


async def test_deleted_account_is_not_queued_for_the_re_entry_that_its_end_would_open(
    world: World, inside: dict[str, int]
) -> None:
    await flag(world, "account", "a")
    await world.admit((await way(world, inside["a"]))["journey_id"])
    account = (await way(world, inside["a"]))["account_id"]
    assert await awaiting_entry(world.engage, account, world.now) == []


async def test_lists_and_audiences_lose_whom_the_platform_has_no_more(
    world: World, inside: dict[str, int]
) -> None:
    assert await listed(world, "accounts") == ["a", "b"]
    await flag(world, "account", "a")
    await flag(world, "person", "p")
    assert await listed(world, "accounts") == ["b"]
    assert await listed(world, "people") == []
    members = await world.platform.fetch(
        "select external_id from audience_members join accounts on id = subject_id"
    )
    assert [row["external_id"] for row in members] == ["b"]


async def test_following_a_deletion_again_changes_nothing(
    world: World, inside: dict[str, int]
) -> None:
    await flag(world, "account", "a")
    before = await way(world, inside["a"])
    await flag(world, "account", "a")
    await world.platform.execute(
        "insert into changes (entity, id, as_of, origin) select 'account', id, now(), 'deletion' from accounts"
    )
    await world.follow()
    assert await way(world, inside["a"]) == before


async def test_nothing_is_sent_to_a_person_deleted_behind_the_arrival_and_the_account_goes_on(
    world: World, inside: dict[str, int]
) -> None:
    await world.happen("form_filled", person="p")
    await flag(world, "person", "p")
    state = await world.walk(inside["a"])
    assert state.ended is not None
    assert state.ended.reason == "completed"
    assert world.mailed() == []


async def test_message_in_hand_is_withdrawn_before_its_last_word(
    world: World, inside: dict[str, int]
) -> None:
    """The claim is committed, the relay has not had the content yet: what ``hand_over`` asks says no."""
    await world.happen("form_filled", person="p")
    await world.engage.execute(
        "insert into ledger (traversal_id, node, visit, position, person_id, action, state, message_id, claimant, claimed_at)"
        " select $1, 'greet', 1, 0, id, 'send_email', 'claimed', 'm1', 'try 1', now() from people where external_id = 'p'",
        inside["a"],
    )
    epoch = (await way(world, inside["a"]))["epoch"]
    await flag(world, "person", "p")
    person = await world.engage.fetchval("select id from people where external_id = 'p'")
    word = await sql.fetchval(
        world.engage,
        "hand_over",
        traversal_id=inside["a"],
        node="greet",
        visit=1,
        position=0,
        person_id=person,
        epoch=epoch,
        claimant="try 1",
        copy=None,
        at=world.now,
    )
    assert word is None
    [row] = await world.ledger()
    assert (row["state"], row["reason"]) == ("skipped", "person-deleted")


async def test_account_that_was_admitted_while_it_was_deleted_leaves_at_its_first_stretch(
    world: World, inside: dict[str, int]
) -> None:
    await world.engage.execute("update accounts set deleted_at = now() where external_id = 'b'")
    await world.happen("form_filled", person="q")
    await world.walk(inside["b"])
    assert (await way(world, inside["b"]))["reason"] == "account-deleted"
    assert world.mailed() == []


async def test_a_file_that_has_it_again_brings_it_back_into_lists_and_by_the_rules_into_journeys(
    world: World, inside: dict[str, int]
) -> None:
    await flag(world, "account", "a")
    world.pass_time(days=2)
    await world.load(world.workspace(JOURNEY, ("hello",)), accounts=ACCOUNTS)
    await world.follow()
    assert await listed(world, "accounts") == ["a", "b"]
    journey = (await way(world, inside["a"]))["journey_id"]
    await world.admit(journey)
    entries = await world.engage.fetchval(
        "select count(*) from traversals where account_id = (select id from accounts where external_id = 'a')"
    )
    assert entries == 2


async def test_column_is_deleted_flags_and_frees_records_of_every_kind(world: World) -> None:
    workspace = world.workspace(JOURNEY, ("hello",))
    await world.load(
        workspace,
        accounts="account_id,name,is_deleted\na,Acme,\nb,Bolt,true\n",
        people="person_id,email,account_id,is_deleted\np,p@a.example,a,TRUE\nq,q@a.example,a,false\n",
        relations="account_id,person_id,is_deleted\na,q,true\n",
        opportunities="opportunity_id,account_id,is_deleted\no,a,true\n",
    )

    async def gone(table: str) -> int:
        return int(
            await world.platform.fetchval(
                f"select count(*) from {table} where deleted_at is not null"
            )
        )

    tables = ("accounts", "people", "relations", "opportunities")
    assert [await gone(table) for table in tables] == [1, 1, 1, 1]
    [people] = await world.load(workspace, people="person_id,email,account_id\nq,q@a.example,a\n")
    assert (people.new, await gone("relations")) == (0, 1)  # only its own file speaks of a relation
    await world.load(
        workspace,
        accounts="account_id,name\nb,Bolt\n",
        people="person_id,email\np,p@a.example\n",
        relations="account_id,person_id\na,q\n",
        opportunities="opportunity_id,account_id\no,a\n",
    )
    assert [await gone(table) for table in tables] == [0, 0, 0, 0]


LIVE = {
    "accounts": "account_id,name,is_deleted\na,Acme,\nb,Bolt,\n",
    "people": "person_id,email,is_deleted\np,p@a.example,\nq,q@a.example,\n",
    "relations": "account_id,person_id,is_deleted\na,p,\na,q,\n",
    "opportunities": "opportunity_id,account_id,is_deleted\no,a,\no2,a,\n",
}


def told(report: FileReport) -> dict[str, int]:
    """What came of a file's rows, where anything did."""
    counts = ("new", "changed", "unchanged", "deleted", "returned")
    return {name: getattr(report, name) for name in counts if getattr(report, name)}


@pytest.mark.parametrize("file", LIVE)
async def test_import_tells_what_it_deletes_and_brings_back(world: World, file: str) -> None:
    workspace = world.workspace(JOURNEY, ("hello",))
    await world.load(workspace, **LIVE)
    gone = LIVE[file].rstrip("\n") + "true\n"
    for text, came in (
        (gone, {"changed": 1, "unchanged": 1, "deleted": 1}),
        (gone, {"unchanged": 2}),
        (LIVE[file], {"changed": 1, "unchanged": 1, "returned": 1}),
        (LIVE[file], {"unchanged": 2}),
    ):
        async with dry_run(world.platform) as pool:
            path = world.write(f"data/{file}.csv", text)
            importer = Importer(pool, workspace.catalog, world.now, lambda *_: None)
            rehearsed = await importer.file(path)
        [report] = await world.load(workspace, **{file: text})
        assert (told(rehearsed), told(report)) == (came, came)


async def test_new_record_may_be_deleted_by_the_row_that_brings_it(world: World) -> None:
    [report] = await world.load(
        world.workspace(JOURNEY, ("hello",)), accounts="account_id,name,is_deleted\na,Acme,true\n"
    )
    assert told(report) == {"new": 1, "deleted": 1}


async def test_table_and_json_of_an_import_have_deletions(world: World) -> None:
    await world.load(world.workspace(JOURNEY, ("hello",)), accounts=LIVE["accounts"])
    path = world.write("accounts.csv", "account_id,name,is_deleted\na,Acme,true\n")
    [row] = (await Cli(world).json("import", str(path), "--dry-run"))["files"]
    assert row == {
        "file": "accounts.csv", "new": 0, "changed": 1, "unchanged": 0,
        "deleted": 1, "returned": 0, "merged": 0, "bad": 0,
    }  # fmt: skip
    said = await Cli(world).say("import", str(path))
    head = next(line for line in said.splitlines() if "unchanged" in line)
    assert ("deleted" in head, "returned" in head) == (True, True)


async def test_row_that_says_neither_true_nor_false_of_is_deleted_is_bad(world: World) -> None:
    [report] = await world.load(
        world.workspace(JOURNEY, ("hello",)),
        accounts="account_id,name,is_deleted\na,Acme,perhaps\nb,Bolt,\n",
    )
    assert [bad.reason for bad in report.bad] == [
        "is_deleted 'perhaps': true or false was expected"
    ]
    assert report.new == 1


async def test_a_split_behind_a_wait_sees_what_the_platform_says_by_then(world: World) -> None:
    workspace = world.workspace(
        """
journey: patient
audience: everyone
schedule: {end: 90 days}
start: rest
nodes:
  rest: {wait: 1 hour, next: which}
  which:
    split: accounts
    paths:
      - {label: many, when: {people: {when: {}, at_least: 2}}, next: many}
    otherwise: few
  many: {do: [{update_account: {field: source_type, value: many}}], end: Many}
  few: {do: [{update_account: {field: source_type, value: few}}], end: Few}
"""
    )
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,account_id\np,p@a.example,a\nq,q@a.example,a\n",
    )
    [traversal] = await world.enter(await world.publish(workspace, "patient"))
    await world.walk(traversal)
    await flag(world, "person", "q")
    world.pass_time(hours=1)
    state = await world.walk(traversal)
    assert state.ended is not None
    assert state.ended.label == "Few"


async def test_flow_that_dies_before_its_commit_takes_the_deletion_down_later(
    world: World, inside: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr("caravan.database.outbox.advance_cursor", dies)
        with pytest.raises(ConnectionError):
            await flag(world, "account", "a")
    assert (await way(world, inside["a"]))["ended_at"] is None
    await audience_flow.follow_page(world.engage, world.platform, world.plans, world.now)
    assert (await way(world, inside["a"]))["reason"] == "account-deleted"
