"""Gauges of every subscription for operators: how things stand, read from the stores now and then.

Every process with the streams' role sets them from the stores, so none is left with a stale figure
when an activity moves elsewhere; take the maximum over processes.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from temporalio.common import MetricMeter

from caravan.campaigns.stream_progress import UP, Standing, standings
from caravan.engage import sql
from caravan.stores import Stores


class Gauges:
    """The gauges, by the meter of this process's runtime."""

    def __init__(self, stores: Stores, meter: MetricMeter) -> None:
        self._stores = stores
        self._inside = meter.create_gauge("caravan_accounts_inside", "Accounts inside a journey")
        self._to_admit = meter.create_gauge(
            "caravan_admissions_waiting", "Accounts that qualified and wait to be admitted"
        )
        self._to_wake = meter.create_gauge(
            "caravan_wakeups_waiting", "Wake-ups that wait to be dispatched"
        )
        self._in_doubt = meter.create_gauge(
            "caravan_mails_in_doubt", "Mails whose relay never answered: settle them by hand"
        )
        self._halted = meter.create_gauge(
            "caravan_sending_halted", "1 while `caravan halt` lets nothing leave"
        )
        self._stopped = meter.create_gauge(
            "caravan_journeys_stopped_now", "Journeys that are paused because their messages fail"
        )
        self._lag_rows = meter.create_gauge(
            "caravan_sync_lag_rows", "Changes that wait to go to the Platform"
        )
        self._lag_seconds = meter.create_gauge_float(
            "caravan_sync_lag_seconds", "Age of the oldest change that waits"
        )
        self._waiting = meter.create_gauge(
            "caravan_stream_waiting_rows", "Rows that wait, by stream"
        )
        self._behind = meter.create_gauge_float(
            "caravan_stream_lag_seconds", "Since when the oldest of them waits, by stream"
        )
        self._rate = meter.create_gauge_float(
            "caravan_stream_rows_per_second", "How fast a stream moves lately"
        )
        self._moved = meter.create_gauge(
            "caravan_stream_rows_moved", "Rows moved in all, by stream"
        )
        self._errors = meter.create_gauge("caravan_stream_errors", "How often a stream has failed")
        self._trouble = meter.create_gauge(
            "caravan_stream_in_trouble", "1 while the last that was heard of a stream is an error"
        )
        self._held_back = meter.create_gauge(
            "caravan_sync_held_back_rows",
            "Changes that wait for a transaction elsewhere in the cluster to end",
        )

    async def set(self, munchkins: Iterable[str]) -> None:
        """Look at each subscription once."""
        for munchkin in munchkins:
            engage = await self._stores.engage(munchkin)
            health = await sql.fetchrow(engage, "health")
            now = datetime.now(UTC)
            platform = await self._stores.platform(munchkin)
            streams = await standings(engage, platform, munchkin, now)
            up = next(one for one in streams if one.stream == UP)
            of: dict[str, str | int | float | bool] = {"munchkin": munchkin}
            self._inside.set(health["open_accounts"], of)
            self._to_admit.set(health["to_admit"], of)
            self._to_wake.set(health["to_wake"], of)
            self._in_doubt.set(health["in_doubt"], of)
            self._halted.set(int(health["halted_at"] is not None), of)
            self._stopped.set(health["stopped_by_failures"], of)
            self._lag_rows.set(up.waiting, of)
            self._lag_seconds.set(up.lag_seconds, of)
            self._held_back.set(up.held_back, of)
            for stream in streams:
                self._set_stream(stream, of | {"stream": stream.stream})

    def _set_stream(self, one: Standing, of: dict[str, str | int | float | bool]) -> None:
        self._waiting.set(one.waiting, of)
        self._behind.set(one.lag_seconds, of)
        self._rate.set(one.rate, of)
        self._moved.set(one.moved, of)
        self._errors.set(one.errors, of)
        self._trouble.set(int(one.is_in_trouble), of)
