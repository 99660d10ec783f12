"""Importing: the rules of a workspace's data files."""

import json
import re

import pytest

from caravan.database.outbox import Cursor, read_page
from caravan.journeys.fields import FieldCatalog
from caravan.platform import sql
from caravan.platform.imports import Importer
from tests.world import World


async def pages(world: World) -> list[tuple[str, dict[str, object]]]:
    async with world.platform.acquire() as conn:
        return [(c.entity, json.loads(c.fields)) for c in await read_page(conn, Cursor(), 1000)]


async def test_changed_row_writes_only_the_cells_that_changed(world: World) -> None:
    workspace = world.workspace("")
    await world.load(workspace, accounts="account_id,name,industry,city\na,Acme,Energy,Oslo\n")
    [report] = await world.load(
        workspace, accounts="account_id,name,industry,city\na,Acme,Utilities,\n"
    )
    assert (report.new, report.changed, report.unchanged) == (0, 1, 0)
    assert await pages(world) == [
        ("account", {"name": "Acme", "industry": "Energy", "city": "Oslo"}),
        ("account", {"industry": "Utilities", "city": None}),
    ]
    attributes = await world.platform.fetchval("select attributes from accounts")
    assert attributes == {"name": "Acme", "industry": "Utilities"}


async def test_unchanged_row_is_not_applied_again_over_a_later_change(world: World) -> None:
    workspace = world.workspace("")
    text = "account_id,name,source_type\na,Acme,web\n"
    await world.load(workspace, accounts=text)
    await world.platform.execute(
        'update accounts set attributes = attributes || \'{"source_type": "nurtured"}\''
    )
    [report] = await world.load(workspace, accounts=text)
    assert report.unchanged == 1
    attributes = await world.platform.fetchval("select attributes from accounts")
    assert attributes["source_type"] == "nurtured"


async def test_gone_row_deletes_nothing(world: World) -> None:
    workspace = world.workspace("")
    await world.load(workspace, accounts="account_id,name\na,A\nb,B\n")
    await world.load(workspace, accounts="account_id,name\nb,B\n")
    assert await world.platform.fetchval("select count(*) from accounts") == 2


async def test_bad_rows_are_reported_with_line_and_the_rest_loads(world: World) -> None:
    workspace = world.workspace("")
    [report] = await world.load(
        workspace,
        accounts="account_id,name,employees,wat\n"
        'a,"Acme\nPower",10,x\n'
        "b,B,ten,x\n"
        ",C,1,x\n"
        "d,D,1\n"
        f"{'e' * 201},E,1,x\n"
        "f,F,12.5,x\n"
        "g,G,7,x\n",
    )
    assert report.new == 2
    assert [(bad.line, bad.reason.split(":")[0]) for bad in report.bad] == [
        (4, "employees 'ten'"),
        (5, "account_id is empty"),
        (6, "3 cells where the header has 4"),
        (7, "account_id is longer than 200 characters"),
        (8, "employees '12.5'"),
    ]
    [warning] = report.warnings
    assert (warning.line, "the column wat is unknown" in warning.reason) == (1, True)


BAD_CSV = [
    (b"account_id,name\na,Caf\xe9\nb,B\n", [(2, "UTF-8")], 1),
    (b'account_id,name\na,"open\nb,B\nc,C\n', [(2, "lines 2 to 4")], 0),
    (b'account_id,name\nz,"two\nlines"\na,"x"y\nb,B\n', [(4, "unreadable")], 2),
    (b"account_id,name\na," + b"x" * 1_000_000 + b"\nb,B\n", [(2, "longer than")], 1),
    (b"account_id,name\na,x\x00y\nb,B\n", [(2, "NUL")], 1),
    ("account_id,name\na,A\n".encode("utf-16"), [(1, "UTF-8")], 0),
    (b"", [(1, "empty")], 0),
    (b"account_id;name\na;A\n", [(1, "commas")], 0),
    (b"account_id,name,name\na,A,B\n", [(1, "twice")], 0),
    (b"\xef\xbb\xbfaccount_id,name\r\na,A\r\n", [], 1),
]


@pytest.mark.parametrize(("content", "bad", "new"), BAD_CSV)
async def test_only_the_bad_row_of_a_hostile_file_is_left_out(
    world: World, content: bytes, bad: list[tuple[int, str]], new: int
) -> None:
    path = world.folder / "accounts.csv"
    path.write_bytes(content)
    report = await Importer(world.platform, FieldCatalog(), world.now, lambda *_: None).file(path)
    assert [one.line for one in report.bad] == [line for line, _ in bad]
    for one, (_, part) in zip(report.bad, bad, strict=True):
        assert part in one.reason
    assert report.new == new


async def test_event_that_no_store_can_keep_is_a_bad_row_and_the_rest_loads(world: World) -> None:
    workspace = world.workspace("")
    await world.load(workspace, accounts="account_id,name\na,A\n")
    path = world.folder / "events.jsonl"
    head = b'{"at": "2026-01-01T00:00:00Z", "type": "x", "account_id": "a", "k": '
    values = [b'"\xe9"', b'"\\ud800"', b'"\\u0000"', b"NaN", b"1e999", b"9" * 5000, b"[" * 5000 + b"]" * 5000]  # fmt: skip
    path.write_bytes(b"".join(head + value + b"}\n" for value in [*values, b"1", rb'"\\u0000"']))
    report = await Importer(world.platform, FieldCatalog(), world.now, lambda *_: None).file(path)
    assert [one.line for one in report.bad] == list(range(1, len(values) + 1))
    assert report.new == 2


async def test_last_of_equal_ids_counts(world: World) -> None:
    workspace = world.workspace("")
    [report] = await world.load(workspace, accounts="account_id,name\na,First\na,Last\n")
    assert report.new == 1
    assert (await world.platform.fetchval("select attributes from accounts"))["name"] == "Last"


async def test_person_shorthand_makes_a_relation_with_roles(world: World) -> None:
    workspace = world.workspace("")
    [_, people] = await world.load(
        workspace,
        accounts="account_id,name\na,A\n",
        people="person_id,email,account_id,roles\np,p@x.example,a,user; buyer\nq,q@x.example,nowhere,user\n",
    )
    assert people.new == 1
    assert people.bad[0].reason == "no account nowhere"
    assert await world.platform.fetchval("select attributes from relations") == {
        "roles": ["user", "buyer"]
    }
    assert await world.platform.fetchval("select count(*) from people") == 1


@pytest.mark.parametrize(
    ("file", "column"),
    [
        ("accounts", "annual_revenue"),
        ("accounts", "employees"),
        ("opportunities", "amount"),
        ("opportunities", "expected_revenue"),
        ("opportunities", "probability"),
    ],
)
async def test_a_number_too_large_for_the_stores_is_a_bad_row(
    world: World, file: str, column: str
) -> None:
    workspace = world.workspace("")
    await world.load(workspace, accounts="account_id,name\na,A\n")
    names = "account_id" if file == "accounts" else "account_id,opportunity_id"
    rows = [f"{'a,o' if ',' in names else 'a'},{number}" for number in ("9" * 400, "12")]
    [report] = await world.load(workspace, **{file: "\n".join([f"{names},{column}", *rows])})
    [bad] = report.bad
    assert bad.line == 2
    assert "a number of at most 308 digits was expected" in bad.reason
    attributes = await world.platform.fetchval(f"select attributes from {file}")
    assert attributes[column] == 12


async def test_relations_opportunities_and_events_find_their_records(world: World) -> None:
    workspace = world.workspace("")
    reports = await world.load(
        workspace,
        accounts="account_id,name\na,A\n",
        people="person_id,email\np,p@x.example\n",
        relations="account_id,person_id,roles\na,p,user\na,nobody,user\n",
        opportunities="opportunity_id,account_id,amount,is_closed,expected_close_date\n"
        "o,a,12.5,no,2026-12-01\no2,a,x,no,2026-12-01\n",
        events="\n".join(
            [
                json.dumps({"id": "1", "at": "2026-03-01T08:00:00Z", "type": "form_filled", "person_id": "p", "form": "f"}),
                json.dumps({"id": "1", "at": "2026-03-01T08:00:00Z", "type": "form_filled", "person_id": "p", "form": "f"}),
                json.dumps({"at": "soon", "type": "x", "person_id": "p"}),
                json.dumps({"at": "2026-03-01T08:00:00Z", "type": "x", "person_id": "nobody"}),
                "{",
            ]
        ),
    )  # fmt: skip
    assert [(r.new, len(r.bad)) for r in reports] == [(1, 0), (1, 0), (1, 1), (1, 1), (1, 3)]
    assert await world.platform.fetchval("select attributes from opportunities") == {
        "amount": 12.5,
        "is_closed": False,
        "expected_close_date": "2026-12-01",
    }
    [again] = await world.load(workspace, events=(world.folder / "data/events.jsonl").read_text())
    assert again.new == 0


async def test_accounts_without_a_name_and_people_without_mail_stay_in_the_platform(
    world: World,
) -> None:
    workspace = world.workspace(
        """
journey: j
audience: all
schedule: {end: 30 days}
start: n
nodes: {n: {do: []}}
---
audience: all
of: accounts
when: {}
"""
    )
    await world.load(
        workspace,
        accounts="account_id,name\na,A\nb,\n",
        people="person_id,email,account_id\np,p@x.example,a\nq,,a\n",
    )
    await world.enter(await world.publish(workspace, "j"))
    assert await world.engage.fetchval("select array_agg(external_id) from accounts") == ["a"]
    assert await world.engage.fetchval("select array_agg(external_id) from people") == ["p"]
    row = await world.engage.fetchrow("select segment_accounts, segment_people from journeys")
    assert row is not None
    assert tuple(row) == (1, 1)


@pytest.mark.parametrize(
    "text", ["", "account_id,name", "name\nx\n", "\ufeffaccount_id,name\r\na,A\r\n"]
)
async def test_odd_files_do_not_fail(world: World, text: str) -> None:
    workspace = world.workspace("")
    [report] = await world.load(workspace, accounts=text)
    assert report.new == (1 if "a,A" in text else 0)


@pytest.mark.parametrize("table", ["accounts", "people", "opportunities", "relations"])
async def test_what_a_source_said_last_is_looked_up_by_its_key_before_there_are_statistics(
    world: World, table: str
) -> None:
    """Else a page is joined with all that the source ever said, row by row."""
    # no client may explain what has parameters without giving them
    explained = (
        "create function pg_temp.explained(query text) returns setof text language plpgsql as"
    )
    body = "$$ begin return query execute 'explain (generic_plan) ' || query; end $$"
    async with world.platform.acquire() as conn:
        await conn.execute(f"{explained} {body}")
        rows = await conn.fetch("select pg_temp.explained($1)", sql.sql(f"import_{table}"))
    plan = "\n".join(row[0] for row in rows)
    [looked_up] = re.findall(r"Scan using source_rows_pkey on .*\n *Index Cond: (.*)", plan)
    assert set(re.findall(r"\((\w+) =", looked_up)) == {"entity", "external_id", "source"}


async def test_large_whole_number_is_in_the_store_as_it_is_in_the_file(world: World) -> None:
    workspace = world.workspace("")
    text = "account_id,name,employees,annual_revenue\na,A,1234567890123456,9007199254740993\n"
    for came in ((1, 0), (0, 1)):
        [report] = await world.load(workspace, accounts=text)
        assert (report.new, report.unchanged, report.bad) == (*came, [])
    assert await world.platform.fetchval("select attributes from accounts") == {
        "name": "A",
        "employees": 1234567890123456,
        "annual_revenue": 9007199254740993,
    }
