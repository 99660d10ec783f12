"""Whether people may be written to: what they have said, what is known of their addresses, what is blocked.

The first check of send time, in the transaction that claims, and again by whatever sends later. What was
said counts from its commit on: fields and lists are read by the one statement here, not taken from what was
read before (product.md §5.6).
"""

from collections.abc import Sequence
from typing import Any

from caravan.campaigns.candidates import Candidate
from caravan.engage import sql
from caravan.journeys.addresses import is_mailable
from caravan.journeys.reasons import SkipReason
from caravan.journeys.suppressing import keys_of, phone_key


async def may_mail(
    conn: Any, people: Sequence[Candidate], operational: bool
) -> dict[int, SkipReason | None]:
    """Why each of these people may not be mailed, by id (language.md); None: they may.

    Args:
        conn: of the engage store, in the transaction that claims.
        people: as they were read to be written to: it is these addresses that are asked about.
        operational: it ignores what people have opted out of, never what cannot or must not be reached.
    """
    reasons: dict[int, SkipReason | None] = {}
    keys: dict[int, list[str]] = {}
    for person in people:
        address: str = person.attributes.get("email") or ""
        reasons[person.id] = _unfit(address, is_mailable(address))
        if reasons[person.id] is None:
            keys[person.id] = keys_of(address)
    rows = await _withheld(conn, "mail_withheld", keys)
    return reasons | {
        row["id"]: _first_reason(row, operational, SkipReason.UNSUBSCRIBED) for row in rows
    }


async def may_text(
    conn: Any, people: Sequence[Candidate], operational: bool
) -> dict[int, SkipReason | None]:
    """The same of text messages to their ``mobile_phone``: who has said nothing has not agreed.

    A number that is suppressed as opted out (a STOP) is so for everybody who has it, and for operational texts too:
    whoever answers STOP has said it to all that the number sends, and networks hold us to it.
    """
    reasons: dict[int, SkipReason | None] = {}
    keys: dict[int, list[str]] = {}
    for person in people:
        number: str = person.attributes.get("mobile_phone") or ""
        key = phone_key(number)
        reasons[person.id] = _unfit(number, key is not None)
        if key is not None:
            keys[person.id] = [key]
    rows = await _withheld(conn, "texts_withheld", keys)
    return reasons | {
        row["id"]: _first_reason(row, operational and not _stopped(row), SkipReason.NO_CONSENT)
        for row in rows
    }


def _stopped(row: Any) -> bool:
    return "opt_out" in row["suppressed"]


def _unfit(address: str, fits: bool) -> SkipReason | None:
    if not address:
        return SkipReason.NO_ADDRESS
    return None if fits else SkipReason.INVALID_ADDRESS


async def _withheld(conn: Any, query: str, keys: dict[int, list[str]]) -> list[Any]:
    """All that speaks against those of these people that something speaks against."""
    if not keys:
        return []
    return await sql.fetch(
        conn,
        query,
        person_ids=list(keys),
        owners=[person for person, subjects in keys.items() for _ in subjects],
        subjects=[subject for subjects in keys.values() for subject in subjects],
    )


def _first_reason(row: Any, operational: bool, opted_out: SkipReason) -> SkipReason | None:
    """The first that speaks against it, in the order of send-time checks."""
    suppressed = row["suppressed"]
    if row["deleted"]:
        return SkipReason.PERSON_DELETED
    if row["merged"]:
        return SkipReason.PERSON_MERGED
    if row["without"]:
        return SkipReason.NO_ADDRESS
    if row["invalid"] or "hard_bounce" in suppressed:
        return SkipReason.INVALID_ADDRESS
    if "blocked" in suppressed or "complaint" in suppressed:
        return SkipReason.BLOCKED
    if operational:
        return None
    if row["suspended"]:
        return SkipReason.SUSPENDED
    if row["unsubscribed"]:
        return SkipReason.UNSUBSCRIBED
    if "opt_out" in suppressed:
        return opted_out
    return SkipReason.NO_CONSENT if row["refused"] else None
