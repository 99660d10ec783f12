"""The activity that admits accounts and starts their workflows."""

from datetime import UTC, datetime
from typing import Any

from temporalio import activity

from activities import counters
from activities.draining import drain
from activities.failures import told
from activities.journey_starts import JourneyStarts
from activities.nudges import Nudges
from activities.stream_log import StreamLog
from caravan.campaigns import admission
from caravan.engage import admissions, journeys, sql
from caravan.stores import Stores
from workflows.contracts import ADMIT, AdmissionReply, AdmissionRequest

STARTS_PAGE = 500


class AdmissionActivities:
    def __init__(self, stores: Stores, starts: JourneyStarts, nudges: Nudges | None = None) -> None:
        self._stores = stores
        self._starts = starts
        self._nudges = nudges

    @activity.defn(name=ADMIT)
    @told
    async def admit(self, request: AdmissionRequest) -> AdmissionReply:
        """Admit page after page; over once the journey takes no more entries."""
        pool = await self._stores.engage(request.munchkin)
        platform = await self._stores.platform(request.munchkin)
        started, over = 0, False

        async def page() -> int:
            nonlocal started, over
            journey = await sql.fetchrow(pool, "journey_by_id", id=request.journey_id)
            now = datetime.now(UTC)
            closed = journey is None or journey["state"] != "live" or now >= journey["ends_at"]
            queued = 0
            if closed:
                await journeys.note_ends(pool, now)
            else:
                queued = await admission.admit_page(pool, platform, request.munchkin, journey, now)
            begun = await self._start(pool, request)
            started += begun
            # who was admitted is started before the journey counts as over
            over = closed and begun == 0
            return queued + begun

        await drain(
            page,
            self._nudges,
            [(pool, admissions.CHANNEL)],
            over=lambda: over,
            log=StreamLog(pool, "admission"),
        )
        return AdmissionReply(accounts=started, over=over)

    async def _start(self, pool: Any, request: AdmissionRequest) -> int:
        rows = await sql.fetch(
            pool, "unstarted_traversals", journey_id=request.journey_id, limit=STARTS_PAGE
        )
        if not rows:
            return 0
        started = await self._starts.start(request.munchkin, rows)
        await sql.execute(pool, "mark_started", traversal_ids=started, at=datetime.now(UTC))
        counters.add(counters.STARTED, len(started), journey=rows[0]["slug"])
        return len(rows)
