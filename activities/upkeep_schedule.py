"""The Temporal schedule of a subscription's daily upkeep: there once, and as the setting says.

Paused or triggered in the Web UI it stays what it is; only its times follow the setting.
"""

import asyncio
import re
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
    WorkflowHandle,
)
from temporalio.service import RPCError, RPCStatusCode

from caravan.settings import SettingsError
from workflows import BuyingGroupUpkeepWorkflow
from workflows.contracts import STREAMS, UpkeepInput, UpkeepReply

#: after an outage a run that was missed so long ago is made up for, once
CATCH_UP = timedelta(hours=12)

#: seconds between two looks whether a run has begun
LOOK_EVERY = 0.2

_DAILY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?: (\S+))?")
_EVERY = re.compile(r"([1-9]\d{0,3}) (minute|hour)s?")


def spec_of(times: str) -> ScheduleSpec:
    """The times that the setting names: ``03:00``, ``03:00 Europe/Stockholm`` or ``6 hours``.

    Raises:
        SettingsError: it names none.
    """
    if daily := _DAILY.fullmatch(times):
        hour, minute, zone = int(daily[1]), int(daily[2]), daily[3] or "UTC"
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise SettingsError(
                f"The setting BUYING_GROUP_UPKEEP is wrong: no time zone {zone}"
            ) from None
        at = ScheduleCalendarSpec(hour=[ScheduleRange(hour)], minute=[ScheduleRange(minute)])
        return ScheduleSpec(calendars=[at], time_zone_name=zone)
    if every := _EVERY.fullmatch(times):
        return ScheduleSpec(
            intervals=[ScheduleIntervalSpec(timedelta(**{f"{every[2]}s": int(every[1])}))]
        )
    raise SettingsError(
        "The setting BUYING_GROUP_UPKEEP is wrong: it looks like 03:00, 03:00 Europe/Stockholm or 6 hours"
    )


def upkeep_of(client: Client, munchkin: str) -> ScheduleHandle:
    """The schedule of a subscription."""
    return client.get_schedule_handle(f"buying-group-upkeep/{munchkin}")


async def ensure_upkeep(client: Client, munchkin: str, times: str) -> None:
    """See that a subscription's schedule is there and runs at these times."""
    title = f"Buying-group upkeep · {munchkin}"
    spec = spec_of(times)
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            BuyingGroupUpkeepWorkflow.run,
            UpkeepInput(munchkin=munchkin),
            id=f"buying-group-upkeep/{munchkin}",
            task_queue=STREAMS,
            static_summary=title,
        ),
        spec=spec,
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
    )
    handle = upkeep_of(client, munchkin)
    try:
        await client.create_schedule(handle.id, schedule, memo={"times": times})
        return
    except ScheduleAlreadyRunningError:
        pass
    known = await handle.describe()
    if _says(known.schedule.spec) == _says(spec):
        return

    def follow(given: ScheduleUpdateInput) -> ScheduleUpdate:
        kept = given.description.schedule
        kept.spec = spec
        return ScheduleUpdate(kept)

    await handle.update(follow)


async def forget_upkeep(client: Client, munchkin: str) -> None:
    """Take away a subscription's schedule, if there is one."""
    try:
        await upkeep_of(client, munchkin).delete()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


async def run_now(
    client: Client, munchkin: str, times: str
) -> WorkflowHandle[BuyingGroupUpkeepWorkflow, UpkeepReply]:
    """Have the schedule start a run now, or behind the one that runs; returns it once it has begun.

    Where no worker has made the schedule yet it is made, with these times.
    """
    schedule = upkeep_of(client, munchkin)
    try:
        before = await _latest(schedule)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        await ensure_upkeep(client, munchkin, times)
        before = None
    await schedule.trigger(overlap=ScheduleOverlapPolicy.BUFFER_ONE)
    while True:
        begun = await _latest(schedule)
        if begun is not None and begun != before:
            # two of one second bear the same id
            return client.get_workflow_handle_for(
                BuyingGroupUpkeepWorkflow.run,
                begun.workflow_id,
                run_id=begun.first_execution_run_id,
            )
        await asyncio.sleep(LOOK_EVERY)


async def _latest(schedule: ScheduleHandle) -> ScheduleActionExecutionStartWorkflow | None:
    """The run that the schedule started last."""
    begun = [
        action.action
        for action in (await schedule.describe()).info.recent_actions
        if isinstance(action.action, ScheduleActionExecutionStartWorkflow)
    ]
    return begun[-1] if begun else None


def _says(spec: ScheduleSpec) -> tuple[object, ...]:
    """What of a spec the setting decides, whoever wrote it down."""
    return (
        [(tuple(one.hour), tuple(one.minute)) for one in spec.calendars],
        [one.every for one in spec.intervals],
        spec.time_zone_name or "UTC",
    )
