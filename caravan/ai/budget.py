"""What a day may cost: reserved in the engage store before a model is asked, settled when it has answered.

The day is UTC's, as it is on providers' bills, and the clock is the real one, whatever instant a question is about.
One row a day is taken by whoever reserves or settles, so processes that ask side by side add up. A process that
dies leaves its reservation: it counts until ``open_until``, and from then on as spent, for nobody knows what was.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from caravan.ai.unanswered import BudgetSpent, ModelFailed
from caravan.ai_settings import AISettings, Feature
from caravan.database.pool import Pool
from caravan.engage import sql

#: how long after its last instant a call may still be settling
GRACE = timedelta(seconds=60)


@dataclass(frozen=True)
class Amount:
    """Tokens and what they cost; None: the price is unknown."""

    tokens_in: int
    tokens_out: int
    cost: Decimal | None

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out


class OpenCall:
    """One call: each request it makes is reserved before and settled after it."""

    def __init__(
        self, engage: Pool, settings: AISettings, call: int, clock: Callable[[], datetime]
    ) -> None:
        self.call = call
        self._engage = engage
        self._settings = settings
        self._clock = clock

    @classmethod
    async def begin(
        cls,
        engage: Pool,
        settings: AISettings,
        feature: Feature,
        model: str,
        digest: str,
        clock: Callable[[], datetime],
        *,
        longest: timedelta,
        is_priced: bool,
    ) -> "OpenCall":
        """Note that a model is about to be asked, which takes so long at most."""
        at = clock()
        call = await sql.fetchval(
            engage,
            "open_ai_call",
            feature=feature.value,
            model=model,
            digest=digest,
            at=at,
            open_until=at + longest + GRACE,
            cost=Decimal(0) if is_priced else None,
        )
        return cls(engage, settings, call, clock)

    async def reserve(self, most: Amount) -> None:
        """Set aside what the next request may cost at most.

        Raises:
            BudgetSpent: today has not so much left.
            ModelFailed: it took so long that it was counted as lost.
        """
        at = self._clock()
        async with self._engage.acquire() as conn, conn.transaction():
            await sql.execute(conn, "lock_ai_day", day=at.date())
            await sql.execute(conn, "count_lost_ai_calls", day=at.date(), at=at)
            spent = await sql.fetchrow(conn, "ai_day", day=at.date())
            reserved = await sql.fetchrow(conn, "ai_reserved")
            refusal = _refusal(self._settings, spent, reserved, most)
            is_open = refusal is not None or await sql.fetchval(
                conn,
                "reserve_ai_request",
                id=self.call,
                tokens_in=most.tokens_in,
                tokens_out=most.tokens_out,
                cost=most.cost,
            )
        if refusal is not None:  # behind the commit: what others lost is counted all the same
            raise BudgetSpent(refusal)
        if not is_open:
            raise ModelFailed("Asking took so long that it was given up meanwhile", is_passing=True)

    async def settle(self, spent: Amount) -> None:
        """Say what the request that was reserved has cost."""
        async with self._engage.acquire() as conn, conn.transaction():
            day = self._clock().date()
            await sql.execute(conn, "lock_ai_day", day=day)
            is_open = await sql.fetchval(
                conn,
                "settle_ai_request",
                id=self.call,
                tokens_in=spent.tokens_in,
                tokens_out=spent.tokens_out,
                cost=spent.cost,
            )
            if is_open:  # else it was counted as lost, with all that it could cost
                await sql.execute(
                    conn, "settle_ai_day", day=day, tokens=spent.tokens, cost=spent.cost
                )

    async def close(self, outcome: str, latency: timedelta) -> Amount:
        """It is over: what came of it and how long it took. Gives back all that it spent.

        What is still reserved was not settled, so it may have been spent and counts. A call that was given up as lost
        stays lost.
        """
        async with self._engage.acquire() as conn, conn.transaction():
            day = self._clock().date()
            await sql.execute(conn, "lock_ai_day", day=day)
            await sql.execute(conn, "spend_reserved_of_ai_call", id=self.call, day=day)
            row = await sql.fetchrow(
                conn,
                "close_ai_call",
                id=self.call,
                outcome=outcome,
                latency_ms=round(latency / timedelta(milliseconds=1)),
            )
        return Amount(row["tokens_in"], row["tokens_out"], row["cost"])


async def note(
    engage: Pool, feature: Feature, model: str, digest: str, outcome: str, at: datetime
) -> int:
    """Log a call that asked nobody."""
    call: int = await sql.fetchval(
        engage,
        "note_ai_call",
        feature=feature.value,
        model=model,
        digest=digest,
        at=at,
        outcome=outcome,
    )
    return call


def _refusal(settings: AISettings, spent: Any, reserved: Any, most: Amount) -> str | None:
    tokens = spent["tokens"] + reserved["tokens"]
    if tokens + most.tokens > settings.daily_tokens:
        return (
            f"Today's budget for AI has no room for another {most.tokens:,} tokens: {tokens:,} of "
            f"{settings.daily_tokens:,} are spent or reserved (AI_DAILY_TOKENS); a new day begins at 00:00 UTC"
        )
    if settings.daily_cost is not None:
        cost = spent["cost"] + reserved["cost"]
        if cost + (most.cost or 0) > settings.daily_cost:
            return (
                f"Today's budget for AI has no room for another {money(most.cost, settings)}: "
                f"{money(cost, settings)} of {money(settings.daily_cost, settings)} are spent or reserved "
                "(AI_DAILY_COST); a new day begins at 00:00 UTC"
            )
    return None


def money(amount: Decimal | None, settings: AISettings) -> str:
    """An amount for people; a thousandth of the currency is told apart."""
    return "unknown" if amount is None else f"{amount:.4f} {settings.currency}"
