"""Named SQL: what a file says is what the server is sent, and a wrong call is known at once."""

from pathlib import Path
from typing import Any

import pytest

from caravan.database.queries import Queries
from caravan.engage import sql as engage_sql
from caravan.platform import sql as platform_sql


def queries(tmp_path: Path, *texts: str) -> Queries:
    files = []
    for number, text in enumerate(texts):
        files.append(tmp_path / f"{number}.sql")
        files[-1].write_text(text, encoding="utf-8")
    return Queries(files)


class Told:
    """A connection that tells what it was asked, as asyncpg's four calls."""

    async def fetch(self, query: str, *args: Any) -> Any:
        return ["fetch", query, *args]

    async def fetchrow(self, query: str, *args: Any) -> Any:
        return ["fetchrow", query, *args]

    async def fetchval(self, query: str, *args: Any) -> Any:
        return ["fetchval", query, *args]

    async def execute(self, query: str, *args: Any) -> Any:
        return ["execute", query, *args]


def test_names_and_parameters_are_read(tmp_path: Path) -> None:
    sql = queries(tmp_path, "-- name: one\nselect :b, :a, :b;\n\n-- name: two\nselect 2;\n")
    assert sql.sql("one") == "select $1, $2, $1"
    assert sql.sql("two") == "select 2"


def test_casts_and_comments_hold_no_parameters(tmp_path: Path) -> None:
    sql = queries(
        tmp_path, "-- name: q\n-- why: so\nselect :id::bigint, x::text -- not :this\nfrom t;\n"
    )
    assert sql.sql("q") == "select $1::bigint, x::text \nfrom t"


def test_query_for_several_tables_is_one_of_each(tmp_path: Path) -> None:
    sql = queries(tmp_path, "-- name: lock_{table} for a, b\nselect from {table} where id = :id;\n")
    assert sql.sql("lock_a") == "select from a where id = $1"
    assert sql.sql("lock_b") == "select from b where id = $1"


def test_query_defined_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one is defined twice"):
        queries(tmp_path, "-- name: one\nselect 1;\n", "-- name: one\nselect 2;\n")


def test_text_before_the_first_name_is_no_query(tmp_path: Path) -> None:
    sql = queries(tmp_path, "-- about this file\n\n-- name: one\nselect 1;\n")
    assert sql.sql("one") == "select 1"


@pytest.mark.parametrize("call", ["fetch", "fetchrow", "fetchval", "execute"])
async def test_values_go_to_their_numbers(tmp_path: Path, call: str) -> None:
    sql = queries(tmp_path, "-- name: one\nselect :b, :a, :b;\n")
    told = await getattr(sql, call)(Told(), "one", a=1, b=2)
    assert told == [call, "select $1, $2, $1", 2, 1]


async def test_column_called_name_can_be_bound(tmp_path: Path) -> None:
    sql = queries(tmp_path, "-- name: one\nselect :name, :conn;\n")
    assert (await sql.fetch(Told(), "one", name="n", conn="c"))[2:] == ["n", "c"]


@pytest.mark.parametrize("values", [{}, {"a": 1, "c": 2}, {"a": 1, "b": 2, "c": 3}])
async def test_wrong_parameters_are_named(tmp_path: Path, values: dict[str, int]) -> None:
    sql = queries(tmp_path, "-- name: one\nselect :a, :b;\n")
    with pytest.raises(TypeError, match="query one: parameters do not fit"):
        await sql.fetch(Told(), "one", **values)


async def test_unknown_query_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        await queries(tmp_path, "").fetch(Told(), "one")


@pytest.mark.parametrize("sql", [engage_sql, platform_sql])
def test_no_query_of_the_stores_holds_a_template_or_a_name_unbound(sql: Queries) -> None:
    for name in sql._queries:
        assert "{table}" not in sql.sql(name)
        assert not sql.sql(name).endswith(";")
