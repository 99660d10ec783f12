"""What flows between the two stores at one instant, and who enters by it.

The same pages that the streams move in production: up what journeys wrote, down what concerns the engage
store (also what the passing of time has changed), and through admission who qualifies.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from caravan.buying_groups import upkeep
from caravan.campaigns import (
    admission,
    audience_flow,
    buying_group_intake,
    buying_group_upkeep,
    engagement_upkeep,
)
from caravan.campaigns.plans import PlanCache
from caravan.database import outbox
from caravan.engage import journeys
from caravan.engage import sql as engage_sql
from caravan.journeys.conditions.naming import audiences_anywhere
from caravan.journeys.plan import Plan, begins_with_mail
from caravan.personas.embedding import Embedder, TitlesUnread
from caravan.platform import down_flow, personas, sync
from caravan.platform.merge import stream_of
from caravan.simulation import sql
from caravan.simulation.agenda import Traveller
from caravan.simulation.throw_away import Pair

#: seconds another transaction on the server may hold back an outbox
PATIENCE = 60.0
#: between two daily runs over the groups; the first is a day after the beginning
DAY = timedelta(days=1)


class HeldBack(RuntimeError):
    """A transaction that does not end keeps the stores' outboxes from being read."""


class Flow:
    """The streams of a pair, drained when asked."""

    def __init__(
        self,
        pair: Pair,
        plans: PlanCache,
        journey_id: int,
        plan: Plan,
        embedder: Embedder,
        beside: Sequence[int] = (),
        upkeep_at: datetime | None = None,
    ) -> None:
        """The streams of a journey.

        Args:
            embedder: reads the job titles that nobody has read.
            beside: journeys whose accounts come in too, and are not admitted.
            upkeep_at: the first daily run over buying groups; None where the workspace has none and no
                score model of its own, or nobody asks (``group_asking``).
        """
        self._pair = pair
        self._plans = plans
        self._embedder = embedder
        self._journey_id = journey_id
        self._rules = plan.rules
        self._beside = beside
        #: also when nobody enters any more, who is in an audience matters to those inside
        self.asked_by_those_inside = bool(audiences_anywhere(plan))
        #: why titles that waited could not be read: whoever bears them has no persona
        self.titles_unread: str | None = None
        self.next_flip: datetime | None = None
        self.next_entry: datetime | None = None  # by time alone: a re-entry opens, a day begins
        self.next_upkeep = upkeep_at

    async def skip(self, at: datetime) -> None:
        """Leave out what the Platform has in its outbox: nothing of it can concern an empty store."""
        row = await sql.fetchrow(self._pair.platform, "outbox_end")
        if row is None:
            return
        async with self._pair.engage.acquire() as conn, conn.transaction():
            await outbox.lock_cursor(conn, down_flow.STREAM)
            end = outbox.Cursor(row["epoch"], row["xid"], row["seq"])
            await outbox.advance_cursor(conn, down_flow.STREAM, end, 0, at)

    async def open(self, at: datetime) -> None:
        """The first steps of a published journey: its segment, and the accounts that qualify."""
        engage, platform = self._pair.engage, self._pair.platform
        await journeys.note_starts(engage, at)
        for journey_id in (*self._beside, self._journey_id):
            await audience_flow.build_segment(engage, platform, journey_id, at)
            while await audience_flow.bring_in_page(engage, platform, self._plans, journey_id, at):
                pass

    async def keep_daily(self, at: datetime) -> None:
        """What the schedule of the upkeep starts in production: everybody is looked at."""
        if self.next_upkeep is None or at < self.next_upkeep:
            return
        while self.next_upkeep <= at:
            self.next_upkeep += DAY
        await upkeep.question_all(self._pair.engage)

    async def drain(self, at: datetime) -> list[Traveller]:
        """Move everything that waits; returns who has entered by it, in order of account."""
        entered: list[Traveller] = []
        began = time.monotonic()
        while True:
            engage, platform = await self._waits(at)
            if engage["outbox"] not in (None, platform["synced"]):
                moved = await sync.drain_page(
                    self._pair.engage, self._pair.platform, self._pair.munchkin, at
                )
            elif platform["titles_wait"] and (read := await self._read_titles(at)):
                moved = read
            elif (
                platform["outbox"] not in (None, engage["followed"])
                or engage["lists_wait"]
                or self._flips_by(at)
            ):
                moved = await audience_flow.follow_page(
                    self._pair.engage, self._pair.platform, self._plans, at
                )
            elif engage["jobs_wait"]:
                brought = await buying_group_intake.bring_in_page(
                    self._pair.engage, self._pair.platform, self._plans, at
                )
                moved = 0 if brought is None else 1
            elif engage["groups_wait"]:
                moved = await buying_group_upkeep.keep_page(self._pair.engage, self._plans, at)
            elif self.next_upkeep is not None and (
                followed := await engagement_upkeep.keep_page(self._pair.engage, self._plans, at)
            ):
                moved = followed
            elif engage["admissions"]:
                admitted = await self._admit(at)
                if not admitted:
                    break
                entered += admitted
                moved = len(admitted)
            else:
                break
            if not moved:
                if time.monotonic() - began > PATIENCE:
                    raise HeldBack
                await asyncio.sleep(0.002)  # a neighbour's transaction is older than ours
        if self._rules.reentry is not None or self._rules.admit.per_day is not None:
            self.next_entry = await admission.next_look(
                self._pair.engage, await self._journey(), at
            )
        return entered

    async def _read_titles(self, at: datetime) -> int:
        """What a worker does beside the up-flow; 0 where nothing can be read here."""
        try:
            return await personas.read_page(self._pair.platform, self._embedder, at)
        except TitlesUnread as error:
            self.titles_unread = str(error)
            return 0

    async def close(self, at: datetime) -> None:
        """The end date has come: nobody enters any more."""
        await journeys.note_ends(self._pair.engage, at)

    async def _journey(self) -> Any:
        return await engage_sql.fetchrow(self._pair.engage, "journey_by_id", id=self._journey_id)

    async def _waits(self, at: datetime) -> tuple[Any, Any]:
        engage, platform = await asyncio.gather(
            sql.fetchrow(
                self._pair.engage,
                "engage_waits",
                down=down_flow.STREAM,
                journey_id=self._journey_id,
                at=at,
                again=self._rules.reentry is not None,
            ),
            sql.fetchrow(self._pair.platform, "platform_waits", up=stream_of(self._pair.munchkin)),
        )
        flips = [one for one in (platform["next_flip"], engage["next_flip"]) if one is not None]
        self.next_flip = min(flips, default=None)
        return engage, platform

    def _flips_by(self, at: datetime) -> bool:
        return self.next_flip is not None and self.next_flip <= at

    async def _admit(self, at: datetime) -> list[Traveller]:
        pool = self._pair.engage
        if self._rules.admit.per_day is not None:
            await sql.execute(pool, "order_admissions")  # who is first among those of one instant
        while True:
            journey = await self._journey()
            taken = await admission.admit_page(
                pool, self._pair.platform, self._pair.munchkin, journey, at
            )
            if not taken:
                break
        rows = await sql.fetch(pool, "begin_travelling", journey_id=self._journey_id, at=at)
        if not rows:
            return []
        loaded = await self._plans.load(pool, journey["plan_hash"])
        mail_first = begins_with_mail(loaded.plan)
        return [
            Traveller(
                row["id"],
                row["account_id"],
                row["account"],
                row["entered_at"],
                loaded.control,
                mail_first,
            )
            for row in rows
        ]
