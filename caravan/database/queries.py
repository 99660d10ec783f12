"""Named SQL: reads the queries of a package's ``.sql`` files and runs them by name.

A file holds queries under ``-- name: query_name`` headers; parameters are written ``:name`` and
sent to the server as numbered ones, never spliced in. A query that is the same for several tables
says so (``-- name: merge_{table} for accounts, people``) and is read once for each.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

_HEADER = re.compile(r"^--\s*name:\s*(\S+)(?:[ ]+for[ ]+([\w, ]+))?[ ]*$", re.MULTILINE)
_PARAMETER = re.compile(r"(?<!:):([a-z_][a-z_0-9]*)")
_COMMENT = re.compile(r"--[^\n]*")


class Connection(Protocol):
    """What a query needs: an asyncpg connection, a pooled one, or a pool."""

    async def fetch(self, query: str, *args: Any) -> list[Any]: ...
    async def fetchrow(self, query: str, *args: Any) -> Any: ...
    async def fetchval(self, query: str, *args: Any) -> Any: ...
    async def execute(self, query: str, *args: Any) -> str: ...


class Queries:
    """The named queries of one directory of ``.sql`` files (migrations excepted)."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._queries: dict[str, tuple[str, tuple[str, ...]]] = {}
        for file in files:
            parts = _HEADER.split(file.read_text(encoding="utf-8"))[1:]
            for name, tables, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
                for table in tables.replace(" ", "").split(",") if tables else [""]:
                    self._add(name.replace("{table}", table), body.replace("{table}", table))

    def _add(self, name: str, body: str) -> None:
        if name in self._queries:
            raise ValueError(f"the query {name} is defined twice")
        self._queries[name] = _numbered(body)

    @classmethod
    def beside(cls, module_file: str) -> "Queries":
        """Load ``sql/*.sql`` next to a module: ``Queries.beside(__file__)``."""
        return cls(sorted((Path(module_file).parent / "sql").glob("*.sql")))

    def sql(self, name: str) -> str:
        """The text of a query with numbered parameters, for EXPLAIN and tests."""
        return self._queries[name][0]

    def parameters(self, name: str) -> tuple[str, ...]:
        """What a query asks for."""
        return self._queries[name][1]

    async def fetch(self, conn: Connection, name: str, /, **values: Any) -> list[Any]:
        sql, args = self._bound(name, values)
        return await conn.fetch(sql, *args)

    async def fetchrow(self, conn: Connection, name: str, /, **values: Any) -> Any:
        sql, args = self._bound(name, values)
        return await conn.fetchrow(sql, *args)

    async def fetchval(self, conn: Connection, name: str, /, **values: Any) -> Any:
        sql, args = self._bound(name, values)
        return await conn.fetchval(sql, *args)

    async def execute(self, conn: Connection, name: str, /, **values: Any) -> str:
        sql, args = self._bound(name, values)
        return await conn.execute(sql, *args)

    def _bound(self, name: str, values: dict[str, Any]) -> tuple[str, list[Any]]:
        sql, parameters = self._queries[name]
        if len(values) != len(parameters) or not all(map(values.__contains__, parameters)):
            unexpected = set(values).symmetric_difference(parameters)
            raise TypeError(f"query {name}: parameters do not fit: {sorted(unexpected)}")
        return sql, [values[parameter] for parameter in parameters]


def _numbered(body: str) -> tuple[str, tuple[str, ...]]:
    order: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in order:
            order.append(name)
        return f"${order.index(name) + 1}"

    text = _PARAMETER.sub(number, _COMMENT.sub("", body)).strip().removesuffix(";")
    return text, tuple(order)
