"""Looking for what is left of a person: every text and JSON column of a schema, whatever table it is in.

An address or telephone number is looked for wherever it stands, without case; an id where it is a value by itself, for as a part of
other words it may be anything. What is found in values that journeys keep is put out; what the workspace's own
documents say is told and left.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from caravan.journeys.suppressing import phone_key

#: what a trace is put out by
GONE = "(erased)"
#: digits; what is shorter may be anything
_SHORTEST_NUMBER = 7

_COLUMNS = """
select c.table_name, c.column_name, c.data_type
from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' and c.is_generated = 'NEVER'
  and (c.data_type in ('text', 'json', 'jsonb', 'character varying') or c.udt_name = '_text')
order by c.table_name, c.ordinal_position
"""
#: what others are known by: the same text there is another's name
OTHERS = frozenset(
    {("accounts", "external_id"), ("opportunities", "external_id"), ("migrations", "name")}
)
#: what the workspace says, and what keeps its words: to be mended there
DOCUMENTS = frozenset(
    {"plans", "journeys", "campaigns", "live_copies", "lists", "audiences", "segments", "pair"}
    | {"roles_templates", "stage_models", "solution_interests", "buying_group_jobs", "score_models"}
)


@dataclass(frozen=True)
class Trace:
    """Rows in which something of a person stands."""

    table: str
    column: str
    what: str  # address (or number) or id
    rows: int


@dataclass(frozen=True)
class Needles:
    """What is looked for."""

    addresses: tuple[str, ...]
    ids: tuple[str, ...]
    phones: tuple[str, ...] = ()

    @property
    def _anywhere(self) -> tuple[str, ...]:
        # an id that is an address is one wherever it stands
        return self.addresses + tuple(one for one in self.ids if "@" in one)

    @property
    def pattern(self) -> str:
        """Of addresses and numbers, as Postgres and Python both read it; not as a part of a longer one."""
        return "|".join(
            [rf"(?<![\w.%+-]){re.escape(address)}(?![\w-]|\.\w)" for address in self._anywhere]
            + [_number(phone) for phone in self.phones if len(_digits(phone)) >= _SHORTEST_NUMBER]
        )

    def in_text(self, text: str) -> str:
        """A text without what is looked for."""
        if text in self.ids:
            return GONE
        return re.sub(self.pattern, GONE, text, flags=re.IGNORECASE) if self.pattern else text

    def in_json(self, value: Any) -> Any:
        match value:
            case str():
                return self.in_text(value)
            case list():
                return [self.in_json(one) for one in value]
            case dict():
                return {self.in_text(name): self.in_json(one) for name, one in value.items()}
        return value


def _digits(number: str) -> str:
    return "".join(one for one in number if one in "0123456789")


def _number(phone: str) -> str:
    """A number however it is spaced; one that says its country, by + or 00 or without."""
    key = phone_key(phone)
    digits = r"[\s().\-/]{0,3}".join(_digits(key or phone))
    return rf"(?:\+|(?<![\w.])(?:00)?){digits}(?!\w)" if key else rf"(?<![\w.+]){digits}(?!\w)"


async def look(conn: Any, needles: Needles) -> list[Trace]:
    """Where something of a person is left; reads all tables of the schema once.

    Args:
        conn: of a store, outside of a transaction: it may take longer than one may.
        needles: what to look for.
    """
    traces = []
    async with conn.transaction(readonly=True):
        await conn.execute("set local transaction_timeout = 0")
        for table, columns in (await _columns(conn)).items():
            counts = await conn.fetchrow(*_counting(table, columns, needles))
            for (column, what), rows in zip(_asked(table, columns), counts, strict=True):
                if rows:
                    traces.append(Trace(table, column, what, rows))
    return traces


async def put_out(conn: Any, needles: Needles, traces: Sequence[Trace]) -> int:
    """Put traces out, but for those in documents; returns in how many rows.

    Of an id only where nothing else can be meant: in a text or value that says it along with an address, the
    address goes; an id alone is told by ``look`` and left.
    """
    count = 0
    kinds = await _columns(conn)
    for trace in traces:
        if trace.table in DOCUMENTS or trace.what != "address":
            continue
        kind = kinds[trace.table][trace.column]
        if kind == "ARRAY":
            continue
        async with conn.transaction():
            rows = await conn.fetch(
                f'select ctid, "{trace.column}" as value from "{trace.table}"'
                f' where "{trace.column}"::text ~* $1 for update',
                needles.pattern,
            )
            for row in rows:
                new = (
                    needles.in_json(row["value"])
                    if kind in ("json", "jsonb")
                    else needles.in_text(row["value"])
                )
                await conn.execute(
                    f'update "{trace.table}" set "{trace.column}" = $1 where ctid = $2',
                    new,
                    row["ctid"],
                )
            count += len(rows)
    return count


async def _columns(conn: Any) -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = {}
    for row in await conn.fetch(_COLUMNS):
        tables.setdefault(row["table_name"], {})[row["column_name"]] = row["data_type"]
    return tables


def _asked(table: str, columns: dict[str, str]) -> list[tuple[str, str]]:
    asked = [(column, "address") for column in columns]
    return asked + [(column, "id") for column in columns if (table, column) not in OTHERS]


def _counting(table: str, columns: dict[str, str], needles: Needles) -> tuple[Any, ...]:
    """One pass over a table, counting for each column."""
    counts = []
    for column, what in _asked(table, columns):
        kind = columns[column]
        if what == "address":
            test = f'"{column}"::text ~* $1' if needles.pattern else "false and $1::text is null"
        elif kind in ("json", "jsonb"):
            # a value by itself, however deep: what JSON writes between quotes
            test = f'"{column}"::text ~ $3'
        elif kind == "ARRAY":
            test = f'"{column}" && $2::text[]'
        else:
            test = f'"{column}" = any($2::text[])'
        counts.append(f"count(*) filter (where {test})")
    values = "|".join(re.escape(json.dumps(one, ensure_ascii=False)) for one in needles.ids)
    # all parameters are named, so that each has a type whatever is asked
    typed = "where $1::text is not null and $2::text[] is not null and $3::text is not null"
    return (
        f'select {", ".join(counts)} from "{table}" {typed}',
        needles.pattern,
        list(needles.ids),
        r"[\[{:,] ?(?:" + values + ")" if values else "(?!)",
    )
