"""What both stores hold of a person: where it is, and which of it goes when they are erased.

A row that other things count on stays, with nothing personal in it: a number remains, which is nobody's. What is
said of the person alone goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from caravan.engage import sql as engage_sql
from caravan.journeys.suppressing import address_key, phone_key
from caravan.platform import sql as platform_sql

Fate = Literal["goes", "emptied", "stays"]

#: by table, what becomes of its rows; `stays`: it has numbers, names of nodes and instants alone
ENGAGE: dict[str, Fate] = {
    "people": "emptied",
    "relations": "emptied",
    "activities": "emptied",
    "ledger": "emptied",
    "participants": "emptied",
    "calls": "emptied",
    "decisions": "emptied",
    "listeners": "stays",
    "mail_reports": "emptied",
    "consents": "goes",
    "suppressions": "goes",
    "suppressions_removed": "goes",
    "mailed_addresses": "goes",
    "limit_counts": "stays",
    "limit_slots": "stays",
    "scores": "goes",
    "engagement_days": "goes",
    "engagement_people": "goes",
    "buying_group_members": "goes",
    "list_members": "goes",
    "list_named": "goes",
    "list_flips": "goes",
    "list_questions": "goes",
    "audience_members": "goes",
    "changes": "emptied",
}
PLATFORM: dict[str, Fate] = {
    "people": "emptied",
    "relations": "emptied",
    "activities": "emptied",
    "source_rows": "goes",
    "united": "goes",
    "said_together": "goes",
    "match_keys": "goes",
    "merges": "emptied",
    "title_personas": "goes",  # unless somebody else bears the title
    "persona_questions": "goes",
    "audience_members": "goes",
    "audience_flips": "goes",
    "audience_departures": "goes",
    "segment_members": "goes",
    "changes": "emptied",
}
STORES = {"engage": (engage_sql, ENGAGE), "platform": (platform_sql, PLATFORM)}


@dataclass(frozen=True)
class Person:
    """A person by all that they are known by in either store."""

    id: int  # of the record that stands for them
    external_ids: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    also: tuple[int, ...] = ()  # of records that are one with it

    @property
    def ids(self) -> list[int]:
        return [self.id, *self.also]

    @property
    def address_keys(self) -> list[str]:
        return sorted({address_key(address) for address in self.addresses})

    def values(self, names: Sequence[str]) -> dict[str, Any]:
        """What queries ask for, by parameter."""
        numbers = [key for phone in self.phones if (key := phone_key(phone))]
        all_values = {
            "person_ids": self.ids,
            "external_ids": list(self.external_ids),
            "subjects": self.address_keys + numbers,
            "folded": [address.casefold() for address in self.addresses],
        }
        return {name: all_values[name] for name in names if name in all_values}


async def find(engage: Any, platform: Any, key: str) -> Person | None:
    """A person by their id or their address, in either store; None: nobody knows them."""
    platform_row = await platform_sql.fetchrow(platform, "find_person", key=key)
    engage_row = await engage_sql.fetchrow(engage, "find_person", key=key)
    if platform_row is None and engage_row is None:
        return None
    number = (platform_row or engage_row)["id"]
    ids = await numbers_of(platform, number)
    rows = await _rows(engage, platform, number, ids)
    return _known_by(number, rows, [one for one in ids if one != number])


async def by_number(engage: Any, platform: Any, number: int) -> Person | None:
    """A person by the number that both stores know them by; None: neither holds anything of them."""
    ids = await numbers_of(platform, number)
    rows = await _rows(engage, platform, number, ids)
    return _known_by(number, rows, [one for one in ids if one != number]) if rows else None


async def numbers_of(platform: Any, number: int) -> list[int]:
    """The numbers of a person: of the record that stands for them, and of those that are one with it."""
    rows = await platform_sql.fetch(platform, "numbers_of_person", id=number)
    return sorted({number, *(row["id"] for row in rows)})


async def _rows(engage: Any, platform: Any, number: int, ids: list[int]) -> list[Any]:
    """What both stores have of these numbers, the person's own first."""
    rows = [
        *await platform_sql.fetch(platform, "people_by_ids", ids=ids),
        *await engage_sql.fetch(engage, "people_by_ids", ids=ids),
    ]
    return sorted(rows, key=lambda row: row["id"] != number)


def _known_by(number: int, rows: list[Any], also: list[int]) -> Person:
    def all_of(*fields: str) -> tuple[str, ...]:
        values = [row["attributes"].get(name) for name in fields for row in rows]
        return tuple(dict.fromkeys(str(value) for value in values if value))

    return Person(
        id=number,
        external_ids=tuple(dict.fromkeys(row["external_id"] for row in rows)),
        addresses=all_of("email"),
        phones=all_of("mobile_phone", "phone"),
        also=tuple(also),
    )


async def held(conn: Any, store: str, person: Person) -> dict[str, list[dict[str, Any]]]:
    """The rows a store holds of a person, by table."""
    queries, tables = STORES[store]
    return {
        table: [
            row["held"]
            for row in await queries.fetch(
                conn, f"personal_{table}", **person.values(queries.parameters(f"personal_{table}"))
            )
        ]
        for table in tables
    }
