"""Waiting: the instant at which a wait ends, computed on arrival and recorded.

A wait for a date of the account is watched: when the date moves, the new one counts.
"""

from datetime import datetime

from caravan.campaigns import listeners
from caravan.campaigns.visit import Visit
from caravan.journeys.nodes.wait import FieldMoment, Wait, wait_until
from caravan.journeys.rests import Rest


def rest_of(visit: Visit, node: Wait) -> Rest:
    """When the account leaves the wait, by today's data; the journey's deadline ends every wait."""
    value = None
    if isinstance(node.until, FieldMoment):
        value = visit.account.get(node.until.account)
    rest = wait_until(node, visit.arrived_at, visit.zones, value)
    return Rest(min(rest.until, visit.traversal.deadline), rest.fault)


async def watch(visit: Visit, node: Wait, step_no: int, until: datetime) -> None:
    """Be woken when the account's date that this wait is for changes."""
    if not isinstance(node.until, FieldMoment):
        return
    await listeners.arm(
        visit,
        step_no,
        "moment",
        ["account_changed"],
        start=visit.arrived_at,
        until=until,
        field=node.until.account,
    )


async def unwatch(visit: Visit, node: Wait) -> None:
    """The wait is over."""
    if not isinstance(node.until, FieldMoment):
        return
    row = await listeners.of_step(visit, "moment")
    if row is not None and row["closed_at"] is None:
        await listeners.close(visit.conn, row["id"], visit.as_of, "next")
