"""Migrations: each once, in order, all or none, whoever starts at the same time."""

import asyncio
from pathlib import Path
from shutil import copyfile
from typing import Any

import asyncpg
import pytest

from caravan.database.errors import StoreUnreachable
from caravan.database.migrations import migrate
from caravan.database.pool import connect
from caravan.database.schemas import schema_name
from caravan.engage import subscriptions
from caravan.platform import sandboxes
from tests.pairs import provision_sandbox
from tests.world import World


async def run(world: World, schema: str, directory: Path) -> list[str]:
    conn = await connect(world.stores.engage_dsn, "ENGAGE_DSN")
    try:
        return await migrate(conn, schema, directory)
    finally:
        await conn.close()


async def ask(world: World, query: str) -> Any:
    conn = await connect(world.stores.engage_dsn, "ENGAGE_DSN")
    try:
        return await conn.fetchval(query)
    finally:
        await conn.close()


def schema_for(world: World) -> str:
    return schema_name("migrated", world.munchkin, "name")


async def test_files_are_applied_once_and_in_order_behind_the_core(
    world: World, tmp_path: Path
) -> None:
    schema = schema_for(world)
    (tmp_path / "0002_b.sql").write_text("insert into letters values ('b');")
    (tmp_path / "0001_a.sql").write_text("create table letters (letter text);")
    (tmp_path / "notes.txt").write_text("no migration")
    assert await run(world, schema, tmp_path) == ["core", "0001_a", "0002_b"]
    assert await run(world, schema, tmp_path) == []
    (tmp_path / "0003_c.sql").write_text("insert into letters values ('c');")
    assert await run(world, schema, tmp_path) == ["0003_c"]
    letters = f"select string_agg(letter, '' order by letter) from \"{schema}\".letters"
    assert await ask(world, letters) == "bc"
    assert await ask(world, f'select count(*) from "{schema}".accounts') == 0


async def test_file_that_fails_takes_the_others_of_its_run_with_it(
    world: World, tmp_path: Path
) -> None:
    schema = schema_for(world)
    (tmp_path / "0001_a.sql").write_text("create table letters (letter text);")
    (tmp_path / "0002_b.sql").write_text("insert into nowhere values (1);")
    with pytest.raises(asyncpg.UndefinedTableError):
        await run(world, schema, tmp_path)
    assert await ask(world, f"select to_regnamespace('{schema}')") is None
    (tmp_path / "0002_b.sql").write_text("insert into letters values ('b');")
    assert await run(world, schema, tmp_path) == ["core", "0001_a", "0002_b"]


async def test_processes_that_start_together_take_turns(world: World, tmp_path: Path) -> None:
    schema = schema_for(world)
    (tmp_path / "0001_a.sql").write_text(
        "create table letters (letter text); select pg_sleep(0.1);"
    )
    applied = await asyncio.gather(*(run(world, schema, tmp_path) for _ in range(4)))
    assert sorted(applied) == [[], [], [], ["core", "0001_a"]]


async def test_schemas_are_apart(world: World, tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_text("create table letters (letter text);")
    one, two = schema_for(world), schema_for(world) + "_two"
    assert await run(world, one, tmp_path) == ["core", "0001_a"]
    assert await run(world, two, tmp_path) == ["core", "0001_a"]


@pytest.mark.parametrize("store", [subscriptions.MIGRATIONS, sandboxes.MIGRATIONS])
async def test_changes_of_before_count_as_written_when_the_store_was_migrated(
    world: World, tmp_path: Path, store: Path
) -> None:
    """Without the table being written anew: it may be large, and is locked meanwhile."""
    schema = schema_for(world)
    files = sorted(store.glob("*.sql"))
    [adding] = [file for file in files if "written_at" in file.read_text(encoding="utf-8")]
    for file in files[: files.index(adding)]:
        copyfile(file, tmp_path / file.name)
    await run(world, schema, tmp_path)
    changes = f'"{schema}".changes'
    where = f"select pg_relation_filenode('{changes}')"
    await ask(world, f"insert into {changes} (entity, id, as_of, origin) values ('account', 1, '2019-01-01', 'import')")  # fmt: skip
    before = await ask(world, where), await ask(world, "select clock_timestamp()")
    copyfile(adding, tmp_path / adding.name)
    assert await run(world, schema, tmp_path) == [adding.stem]
    written = await ask(world, f"select written_at from {changes}")
    assert before[1] < written < await ask(world, "select clock_timestamp()")
    assert await ask(world, where) == before[0]


@pytest.mark.parametrize("name", ["", "-a", "a_b", "a b", 'a"', "å", "a" * 52, "a\n"])
def test_name_that_no_schema_can_bear_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a munchkin id"):
        subscriptions.schema_of(name)
    with pytest.raises(ValueError, match="is not a sandbox name"):
        sandboxes.schema_of_sandbox(name)


def test_schemas_bear_the_names_of_the_pair() -> None:
    assert subscriptions.schema_of("123-ABC-456") == "munchkin_123_abc_456"
    assert sandboxes.schema_of_sandbox("Prod") == "sandbox_prod"


async def test_database_that_is_not_there_is_named_with_its_setting(world: World) -> None:
    """Wherever a connection is opened, and without the password."""
    for dsn, why in (
        (world.stores.engage_dsn.replace("engage", "nowhere"), "nowhere"),
        ("postgresql://me:secret@127.0.0.1:1/engage", "127.0.0.1:1/engage"),
    ):
        with pytest.raises(StoreUnreachable, match=f"{why}.*ENGAGE_DSN") as caught:
            await subscriptions.provision(dsn, world.munchkin, world.sandbox)
        assert "secret" not in str(caught.value)
        with pytest.raises(StoreUnreachable, match=f"{why}.*PLATFORM_DSN"):
            await provision_sandbox(dsn, world.sandbox, world.munchkin)
