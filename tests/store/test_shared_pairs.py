"""The pairs of stores that tests share: whoever comes next finds them as if they were new."""

from tests.pairs import Pair, Pairs
from tests.world import World

ROWS = "select count(*) from {table}"
TABLES = """
select relname from pg_class
where relnamespace = current_schema()::regnamespace and relkind = 'r' order by relname"""


async def rows_of(world: World) -> dict[tuple[str, str], int]:
    return {
        (store, row["relname"]): await pool.fetchval(ROWS.format(table=row["relname"]))
        for store, pool in (("platform", world.platform), ("engage", world.engage))
        for row in await pool.fetch(TABLES)
    }


async def open_at(pair: Pair, world: World) -> World:
    again = World(world.folder, pair)
    await again.open()
    return again


async def test_next_test_finds_what_is_provisioned_and_numbers_begin_anew(
    pairs: Pairs, world: World
) -> None:
    first = await pairs.take()
    one = await open_at(first, world)
    as_provisioned = await rows_of(one)
    await one.load(
        one.workspace(""),
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,account_id\np,p@a.example,a\n",
    )
    assert await one.platform.fetchval(ROWS.format(table="people")) == 1
    ids = await one.platform.fetchval("select id from accounts")
    await one.close()
    pairs.give_back(first)
    second = await pairs.take()
    assert first.munchkin != second.munchkin
    other = await open_at(second, world)
    assert await rows_of(other) == as_provisioned
    await other.load(other.workspace(""), accounts="account_id,name\nb,Bell\n")
    assert await other.platform.fetchval("select id from accounts") == ids
    await other.close()
    pairs.give_back(second)


async def test_pair_whose_tables_were_changed_is_not_used_again(pairs: Pairs, world: World) -> None:
    first = await pairs.take()
    one = await open_at(first, world)
    await one.engage.execute("alter table changes add check (fields is not null)")
    schema = await one.engage.fetchval("select current_schema()")
    await one.close()
    pairs.give_back(first)
    second = await pairs.take()
    other = await open_at(second, world)
    assert await other.engage.fetchval("select to_regnamespace($1) is not null", schema)
    await other.close()
    pairs.give_back(second)


async def test_pair_that_a_transaction_still_holds_is_not_used_again(
    pairs: Pairs, world: World
) -> None:
    first = await pairs.take()
    one = await open_at(first, world)
    await one.load(one.workspace(""), accounts="account_id,name\na,Acme\n")
    async with one.platform.acquire() as conn, conn.transaction():
        await conn.execute("lock accounts in share mode")
        pairs.give_back(first)
        second = await pairs.take()
        assert await one.platform.fetchval("select count(*) from accounts") == 1
    await one.close()
    other = await open_at(second, world)
    assert await other.platform.fetchval("select count(*) from accounts") == 0
    await other.close()
    pairs.give_back(second)
