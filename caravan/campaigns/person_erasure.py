"""Erasing a person: from the engage store, then from the Platform store, a transaction each.

The engage store first, for from its commit on nothing is sent to them any more. Whatever is on its way between
the stores meanwhile meets rows that let nothing be written to them (``people_stay_erased``). It can be begun
anew wherever it broke off: what is gone already counts as nothing.

The account's traversals go on: a number that is nobody's has no address, and is skipped.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from caravan.buying_groups import standing
from caravan.campaigns import recording
from caravan.campaigns.personal_data import ENGAGE, PLATFORM, Person, by_number
from caravan.campaigns.plans import PlanCache
from caravan.database import erasures
from caravan.database.erasures import ErasureKey
from caravan.database.outbox import nudge
from caravan.engage import sql as engage_sql
from caravan.engage import standstill
from caravan.journeys.suppressing import phone_key
from caravan.platform import sql as platform_sql


@dataclass(frozen=True)
class Erased:
    """How many rows were emptied or went, by table; and how many messages were withdrawn."""

    rows: dict[str, int]
    withdrawn: int = 0
    left: bool = True  # False: something that had begun to leave is still on its way


async def whose_too(engage: Any, platform: Any, person: Person) -> list[str]:
    """Other people with an address of theirs: what is said of that address is said of them too."""
    found = []
    for queries, pool in ((engage_sql, engage), (platform_sql, platform)):
        rows = await queries.fetch(
            pool,
            "others_at",
            person_ids=person.ids,
            folded=[address.casefold() for address in person.addresses],
        )
        found += [row["external_id"] for row in rows]
    return sorted(set(found))


async def phones_of_others(engage: Any, platform: Any, person: Person) -> list[str]:
    """Which of their numbers somebody else has too, however either is written: a STOP of it is theirs too."""
    found = set()
    for queries, pool in ((engage_sql, engage), (platform_sql, platform)):
        rows = await queries.fetch(
            pool,
            "phones_of_others",
            person_ids=person.ids,
            ends=[_digits(phone)[-7:] for phone in person.phones],
        )
        found |= {_compared(row["number"]) for row in rows}
    return [phone for phone in person.phones if _compared(phone) in found]


async def erase_here(
    pool: Any, plans: PlanCache, person: Person, key: ErasureKey, at: datetime
) -> Erased:
    """Erase a person from the engage store.

    Args:
        pool: the engage store.
        plans: for listeners that hear how their groups stand without them.
        person: whom; without addresses and numbers that are others' too.
        key: what tells afterwards who was erased.
        at: domain time.
    """
    async with pool.acquire() as conn, conn.transaction():
        await erasures.in_force(conn, key)
        await engage_sql.fetch(conn, "hold_accounts_of", person_ids=person.ids)
        touched = await engage_sql.fetch(
            conn, "share_accounts_touched", person_ids=person.ids, account_ids=[]
        )
        await engage_sql.execute(conn, "lock_person_to_erase", person_ids=person.ids)
        groups = [
            row["group_id"]
            for row in await engage_sql.fetch(conn, "groups_to_leave", person_ids=person.ids)
        ]
        await engage_sql.fetch(conn, "share_engagement", person_ids=person.ids)
        await engage_sql.fetch(conn, "lock_groups_to_leave", ids=groups)
        await erasures.note(conn, key, person.id, person.external_ids, person.address_keys, at)
        withdrawn = await engage_sql.fetch(conn, "withdraw_messages", person_ids=person.ids, at=at)
        await engage_sql.execute(conn, "rewrite_alerts", person_ids=person.ids, at=at)
        await engage_sql.execute(conn, "withdraw_last_words", person_ids=person.ids)
        await engage_sql.execute(conn, "lock_ai_answers")
        await engage_sql.fetch(conn, "erase_ai_answers")
        rows = {
            "people": len(
                await engage_sql.fetch(conn, "leave_a_tombstone", person_ids=person.ids, at=at)
            )
        }
        for table, fate in ENGAGE.items():
            if fate != "stays" and table != "people":
                rows[table] = await _erase(engage_sql, conn, table, person, at)
        happenings = await standing.refresh(conn, groups, at) if groups else []
        await recording.record(conn, plans, happenings, at)
        await recording.look_at_exits_of(
            conn, plans, at, account_ids=[row["id"] for row in touched]
        )
    # what had begun to leave has left when this is over, and can be looked for
    left = await standstill.nothing_of_a_person_is_leaving(pool, person.ids)
    return Erased(rows, len(withdrawn), left)


async def erase_in_platform(pool: Any, person: Person, key: ErasureKey, at: datetime) -> Erased:
    """Erase a person from the Platform store; from its commit on no import brings them back."""
    async with pool.acquire() as conn, conn.transaction():
        await platform_sql.execute(conn, "one_writer")
        await erasures.in_force(conn, key)
        await erasures.note(conn, key, person.id, person.external_ids, person.address_keys, at)
        rows = {table: await _erase(platform_sql, conn, table, person, at) for table in PLATFORM}
        if rows["people"]:
            await platform_sql.execute(conn, "tell_erased", person_ids=person.ids, at=at)
        await nudge(conn)
        return Erased(rows)


async def erase_from_both(
    engage: Any, platform: Any, number: int, key: ErasureKey, at: datetime
) -> None:
    """Erase whoever has a number in a pair's stores, engage first. Done before, it changes nothing.

    Args:
        engage: the engage store.
        platform: the Platform store.
        number: the person's, which is theirs in both.
        key: what tells afterwards who was erased.
        at: domain time.
    """
    person = await by_number(engage, platform, number)
    if person is None:
        return
    others = await whose_too(engage, platform, person)
    phones = await phones_of_others(engage, platform, person)
    rest = without_what_is_others(person, others, phones)
    await erase_here(engage, PlanCache(), rest, key, at)
    await erase_in_platform(platform, rest, key, at)


def without_what_is_others(
    person: Person, addresses_too: Sequence[str], numbers: Sequence[str]
) -> Person:
    """What is left to erase of a person.

    Args:
        person: whom.
        addresses_too: others who have an address of theirs.
        numbers: those of their numbers that others have.
    """
    return replace(
        person,
        addresses=() if addresses_too else person.addresses,
        phones=tuple(phone for phone in person.phones if phone not in numbers),
    )


def _digits(number: str) -> str:
    return "".join(one for one in number if one in "0123456789")


def _compared(number: str) -> str:
    return phone_key(number) or _digits(number)


async def _erase(queries: Any, conn: Any, table: str, person: Person, at: datetime) -> int:
    name = f"erase_{table}"
    wanted = queries.parameters(name)
    values = person.values(wanted) | ({"at": at} if "at" in wanted else {})
    return len(await queries.fetch(conn, name, **values))
