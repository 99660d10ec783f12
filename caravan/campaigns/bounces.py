"""What follows from bounces and complaints: addresses suppressed, people unsubscribed, journeys told.

A report counts once. It is about a message of ours, which its return path or the Message-ID it quotes must
name: what a report says of an address is believed of the address that message went to, and of no other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from caravan.campaigns import consents, recording
from caravan.campaigns.mail_events import about
from caravan.campaigns.plans import PlanCache
from caravan.delivery.bounce_reports import Report
from caravan.delivery.return_path import ReturnPath
from caravan.delivery.status_codes import is_hard, status_of_reply
from caravan.delivery.transport import Refused, Verdict
from caravan.engage import sql, suppressions
from caravan.engage.happening import Happening
from caravan.journeys.suppressing import address_key

#: `known`: taken in before; `elsewhere`: about no message of this subscription
Result = Literal["suppressed", "counted", "unsubscribed", "known", "elsewhere"]


@dataclass(frozen=True)
class Taken:
    """What became of a report."""

    result: Result
    kind: str
    status: str | None
    message_id: str | None


async def take(
    pool: Any,
    plans: PlanCache,
    report: Report,
    at: datetime,
    *,
    munchkin: str,
    return_path: ReturnPath | None = None,
) -> Taken:
    """Take a report in, in one transaction with all that follows from it.

    Args:
        pool: the engage store of a subscription.
        plans: for listeners that hear it.
        report: what came.
        at: domain time.
        munchkin: the subscription.
        return_path: reads the addresses that reports went to; None: they are known by Message-ID alone.
    """
    number = _number(report.sent_to, munchkin, return_path)
    async with pool.acquire() as conn, conn.transaction():
        message = await sql.fetchrow(
            conn, "reported_message", number=number, message_id=report.message_id
        )
        if message is None:
            return Taken("elsewhere", report.kind, report.status, report.message_id)
        return Taken(
            await _follow(conn, plans, report, message, at),
            report.kind,
            report.status,
            message["message_id"],
        )


async def follow_refusal(conn: Any, message_id: str, verdict: Verdict, at: datetime) -> None:
    """A relay refused a message for good: where its reply says that the address is to blame, it is suppressed.

    In the transaction that settles the message. A reply without an enhanced status says nothing of that
    kind: 550 is also what a policy says.
    """
    status = status_of_reply(verdict.reply) if isinstance(verdict, Refused) else None
    if not is_hard(status):
        return
    message = await sql.fetchrow(conn, "reported_message", number=None, message_id=message_id)
    if message is not None:
        await _suppress(conn, message, "hard_bounce", f"refused with {status}", at)


def _number(addresses: Iterable[str], munchkin: str, return_path: ReturnPath | None) -> int | None:
    if return_path is not None:
        for address in addresses:
            if returned := return_path.read(address, [munchkin]):
                return returned.message_number
    return None


async def _follow(
    conn: Any, plans: PlanCache, report: Report, message: Any, at: datetime
) -> Result:
    noted = await sql.fetchval(
        conn,
        "note_report",
        digest=report.digest,
        message=message["id"],
        person_id=message["person_id"],
        kind=report.kind,
        status=report.status,
        told=None if message["erased"] else report.told,
        at=at,
    )
    if noted is None:
        return "known"
    result: Result = "counted"
    if report.kind == "complaint" and message["alert"]:
        # whoever is told of accounts for their work has no record of ours that could be unsubscribed
        await _suppress(conn, message, "complaint", f"complaint ({report.told})", at)
    elif report.kind == "complaint":
        result = "unsubscribed"
        await consents.set_fields(
            conn,
            plans,
            [message["person_id"]],
            {"unsubscribed": True},
            source=f"complaint about {message['message_id']}",
            at=at,
        )
        await _suppress(conn, message, "complaint", f"complaint ({report.told})", at)
    elif report.kind == "hard" and await _suppress(
        conn, message, "hard_bounce", f"bounced with {report.status}", at
    ):
        result = "suppressed"
    if not message["alert"]:
        await recording.record(conn, plans, [_happening(report, message, at)], at)
    return result


async def _suppress(conn: Any, message: Any, reason: str, why: str, at: datetime) -> bool:
    """Suppress the address a message went to, where we still know which that was."""
    if not message["email"] or not message["unchanged"]:
        return False
    subject = address_key(message["email"])
    await suppressions.add(conn, [subject], reason, source=message["message_id"], at=at, why=why)
    return True


def _happening(report: Report, message: Any, at: datetime) -> Happening:
    identity, fields = message["message_id"], about(message)
    if report.kind == "complaint":
        kind, key = "email_unsubscribed", f"complained:{identity}"
        fields["complaint"] = True
    elif report.kind == "hard":
        kind, key = "email_bounced", f"bounced:{identity}"
        fields |= {"soft": False, "status": report.status}
    else:
        kind, key = "email_bounced", f"bounced:{identity}:{report.digest.hex()[:16]}"
        fields |= {"soft": True, "status": report.status}
    return Happening(kind, at, person_id=message["person_id"], external_id=key, fields=fields)
