"""What people answer to text messages: STOP and START, for everybody who has the number (product.md §5.4, §5.6).

A STOP suppresses the number, so it holds for whoever gets that number into their record later, and is written as
the ``sms_consent`` of those who have it, so that the Platform hears of it. A START takes both back; a number that
is suppressed for another reason stays so.
"""

from datetime import datetime
from typing import Any, Literal

from caravan.campaigns import consents
from caravan.campaigns.plans import PlanCache
from caravan.delivery.sms import NO_SUCH_NUMBER, STOPPED
from caravan.delivery.transport import Refused, Verdict
from caravan.engage import sql, suppressions
from caravan.journeys.suppressing import phone_key

Keyword = Literal["stop", "start"]

#: a message that is one of these words, whatever its case, and nothing else (Twilio's default keywords)
STOP_WORDS = frozenset(
    ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")
)
START_WORDS = frozenset(("START", "YES", "UNSTOP"))


def keyword(text: str, said: str = "") -> Keyword | None:
    """What an answer asks for; None: something else.

    Args:
        text: of the message.
        said: what the provider has understood it as (OptOutType), which knows the operator's own words.
    """
    for word in (said, text.strip().strip(".!\"'").strip()):
        if word.upper() in STOP_WORDS:
            return "stop"
        if word.upper() in START_WORDS:
            return "start"
    return None


async def hear(
    pool: Any, plans: PlanCache, *, phone: str, sid: str, word: Keyword, at: datetime
) -> bool:
    """Take a STOP or START in, once.

    Args:
        pool: the engage store.
        phone: of the sender, in E.164.
        sid: the provider's name of the message.
        word: what they said.
        at: when it came.

    Returns:
        Whether it was new.
    """
    async with pool.acquire() as conn, conn.transaction():
        if not await sql.fetchval(conn, "hear_text", sid=sid, keyword=word, at=at):
            return False
        await _set(conn, plans, phone, word == "start", f"sms:{word}", at)
        return True


async def _set(
    conn: Any, plans: PlanCache, phone: str, yes: bool, source: str, at: datetime
) -> None:
    rows = await sql.fetch(conn, "people_with_mobile", digits=phone)
    people = [row["id"] for row in rows if phone_key(row["mobile_phone"]) == phone]
    if people:
        fields = consents.answered("sms", yes)
        await consents.set_fields(conn, plans, people, fields, source=source, at=at)
    if yes:
        await sql.execute(conn, "opt_phone_in", phone=phone)
    else:
        await suppressions.add(conn, [phone], "opt_out", source=source, at=at)


async def after_refusal(conn: Any, person_id: int, verdict: Verdict, at: datetime) -> None:
    """The provider says that the recipient has answered STOP, whether or not we have heard it, or is no mobile."""
    if not isinstance(verdict, Refused) or verdict.code not in (STOPPED, *NO_SUCH_NUMBER):
        return
    written = await sql.fetchval(conn, "phone_of_person", person_id=person_id)
    phone = phone_key(written or "")
    if phone is not None:
        reason = "opt_out" if verdict.code == STOPPED else "hard_bounce"
        await suppressions.add(conn, [phone], reason, source=f"sms:{verdict.code}", at=at)
