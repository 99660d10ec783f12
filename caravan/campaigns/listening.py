"""Listening: arming a listener, hearing an activity, and settling which came first.

A listener's row is closed once; the first commit wins. Whether it is satisfied is always asked of
the recorded activities, never of the event in hand, so the earliest (time, id) wins whatever order
things arrive in.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from caravan.campaigns import listeners
from caravan.campaigns.listeners import Heard
from caravan.campaigns.plans import LoadedPlan, PlanCache
from caravan.campaigns.visit import Visit
from caravan.engage import sql
from caravan.journeys.conditions.sql import Binder, activity_predicate, compile_condition
from caravan.journeys.events import GENERIC, OF_ONE_ACCOUNT, is_account_event
from caravan.journeys.nodes.listen import Listen, ListenEvent, listen_deadline, look_back_start
from caravan.journeys.rests import Rest


def window(visit: Visit, node: Listen) -> tuple[datetime, Rest]:
    """From when to when an event counts, both ends included; the deadline ends every listen."""
    rest = listen_deadline(node, visit.arrived_at, visit.zones)
    end = visit.traversal.deadline
    rest = Rest(min(rest.until, end), rest.fault) if rest is not None else Rest(end)
    return look_back_start(node, visit.arrived_at, visit.zones), rest


async def arm(visit: Visit, node: Listen, step_no: int) -> Rest:
    """Register the listener, under a lock that lets no event slip between."""
    start, rest = window(visit, node)
    await sql.execute(visit.conn, "lock_account_to_listen", account_id=visit.traversal.account_id)
    types = sorted({event.type for event in node.events})
    await listeners.arm(visit, step_no, "listen", types, start=start, until=rest.until)
    return rest


async def is_over(visit: Visit) -> bool:
    """Whether the listener of a traversal is closed; it stays locked."""
    row = await listeners.of_step(visit, "listen")
    return row is not None and row["closed_at"] is not None


async def settle(visit: Visit) -> tuple[str | None, dict[str, Any]]:
    """Ask the open listener of a traversal what became of it.

    Returns:
        The edge to leave by and the values behind it: an event's number, ``timeout``, or None
        while it still listens.
    """
    row = await listeners.of_step(visit, "listen")
    if row["closed_at"] is None:
        matched = await match(visit.conn, visit.loaded, [row], visit.as_of, visit.arrived_at)
        heard = matched.get(row["id"])
        if heard is None and visit.as_of < row["until_at"]:
            return None, {}
        if heard is None:
            await listeners.close(visit.conn, row["id"], visit.as_of, "timeout")
            return "timeout", {"until": row["until_at"].isoformat()}
        await listeners.close_heard(visit.conn, matched, visit.as_of)
        return heard.edge, _because(heard.activity_id, heard.person_id, heard.at)
    return row["edge"], _because(row["activity_id"], row["person_id"], row["heard_at"])


async def hear(conn: Any, plans: PlanCache, listening: Sequence[Any], as_of: datetime) -> list[int]:
    """Close what of these listeners the recorded activities satisfy; returns the traversals to wake."""
    by_plan: dict[str, list[Any]] = {}
    for row in listening:
        if row["purpose"] == "listen":
            by_plan.setdefault(row["plan_hash"], []).append(row)
    heard: dict[int, Heard] = {}
    for plan_hash, rows in by_plan.items():
        heard |= await match(conn, await plans.load(conn, plan_hash), rows, as_of)
    if heard:
        await listeners.close_heard(conn, heard, as_of)
    return [
        row["traversal_id"] for row in listening if row["purpose"] == "moment" or row["id"] in heard
    ]


async def match(
    conn: Any,
    loaded: LoadedPlan,
    rows: Sequence[Any],
    as_of: datetime,
    arrived_at: datetime | None = None,
) -> dict[int, Heard]:
    """By listener, the earliest event that satisfies it, of all the events of its node.

    Args:
        conn: in a transaction.
        loaded: the plan of all of them.
        rows: the listeners', each with its traversal's ``entered_at`` and its account's ``time_zone``.
        as_of: domain time.
        arrived_at: when the account came there, where that is not stored yet.
    """
    asked: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        zone = loaded.zone_at(row["node"], loaded.zones(row["time_zone"]))
        asked.setdefault((row["node"], zone), []).append(row)
    hits: dict[int, list[tuple[datetime, int, str, int | None]]] = {}
    for (name, zone), together in asked.items():
        node = loaded.plan.nodes[name]
        assert isinstance(node, Listen)
        for number, event in enumerate(node.events, start=1):
            query = loaded.rows_query(("hear", name, number), partial(_hearing, event), zone)
            values = [_values(row, event, as_of, arrived_at) for row in together]
            for place, hit in await query.fetch(conn, values):
                found = (hit["at"], hit["id"], str(number), hit["person_id"])
                hits.setdefault(together[place]["id"], []).append(found)
    heard = {}
    for listener_id, candidates in hits.items():
        at, activity_id, edge, person_id = min(candidates, key=lambda hit: hit[:2])
        heard[listener_id] = Heard(edge, activity_id, person_id, at)
    return heard


def _values(
    row: Any, event: ListenEvent, as_of: datetime, arrived_at: datetime | None
) -> dict[str, Any]:
    """What the query for one event takes of a listener."""
    return {
        "account_id": row["account_id"],
        "traversal_id": row["traversal_id"],
        "entered_at": row["entered_at"],
        "as_of": as_of,
        "node": row["node"],
        "arrived_at": arrived_at,
        "from_at": row["from_at"],
        "until_at": row["until_at"],
        "times": event.times,
        "people": event.people,
    }


def _hearing(event: ListenEvent, binder: Binder) -> str:
    """The query for one event of a listen: the instant at which enough people did it enough times.

    A hit is the ``times``-th occurrence by one person; the ``people``-th of those ends the listen.
    """
    account = binder.named("account_id", "bigint")
    traversal = binder.named("traversal_id", "bigint")
    conditions = [
        activity_predicate(event.type, event.where, binder),
        f"e.at >= {binder.named('from_at', 'timestamptz')}",
        f"e.at <= {binder.named('until_at', 'timestamptz')}",
        f"not exists (select from listeners l where l.traversal_id = {traversal}"
        " and l.activity_id = e.id)",
    ]
    own = f"activities e where e.account_id = {account} and e.person_id is null"
    # who has left the account was its member all the same
    in_its_affairs = (
        "activities e join people p on p.id = e.person_id join accounts a on a.id = e.account_id"
        " left join relations r on r.account_id = a.id and r.person_id = p.id and r.deleted_at is null"
        f" where e.account_id = {account} and "
    )
    by_people = (
        f"relations r join people p on p.id = r.person_id and r.account_id = {account}"
        " and r.deleted_at is null and p.deleted_at is null"
        " join accounts a on a.id = r.account_id join activities e on e.person_id = p.id where "
    )
    who = compile_condition(event.who, "person", binder).predicate if event.who else "true"
    by_people += who
    if event.type in OF_ONE_ACCOUNT:
        sources = [in_its_affairs + who]
    elif is_account_event(event.event):
        sources = [own]
    elif event.event == GENERIC and event.who is None:
        sources = [own, by_people]  # whose it is, the event says itself
    else:
        sources = [by_people]
    source = " union all ".join(f"select e.* from {one}" for one in sources)
    return (
        "select id, at, person_id from ("
        " select e.id, e.at, e.person_id, row_number() over"
        "  (partition by e.person_id order by e.at, e.id) as nth"
        f" from ({source}) e where " + " and ".join(f"({c})" for c in conditions) + ") hits"
        f" where nth = {binder.named('times', 'integer')} order by at, id"
        f" offset {binder.named('people', 'integer')} - 1 limit 1"
    )


def _because(activity_id: int | None, person_id: int | None, at: datetime | None) -> dict[str, Any]:
    return {
        "activity": activity_id,
        "person": person_id,
        "event_at": at.isoformat() if at is not None else None,
    }
