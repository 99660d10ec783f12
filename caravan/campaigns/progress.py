"""A traversal's progress: locking its row, and storing the steps it takes behind where it stood.

Both who serve a traversal, stretches and sends, read and write it this way alone.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.campaigns.plans import LoadedPlan, PlanCache
from caravan.campaigns.visit import Traversal, Visit
from caravan.engage import sql
from caravan.journeys import core
from caravan.journeys.control import Target
from caravan.journeys.state import Command, Ended, Outcome, State

#: a reply of Temporal's holds 2 MB; a restarted workflow asks again until it has caught up
MOST_STORED = 500


@dataclass(frozen=True)
class Locked:
    """A traversal whose row is ours until the transaction ends."""

    traversal: Traversal
    loaded: LoadedPlan
    state: State
    ended: Ended | None
    account: dict[str, Any]  # its attributes, not locked


async def lock(conn: Any, plans: PlanCache, traversal_id: int) -> Locked:
    """Lock a traversal and read where it stands."""
    row = await sql.fetchrow(conn, "lock_traversal", traversal_id=traversal_id)
    if row is None:
        raise LookupError(f"no traversal {traversal_id}")
    loaded = await plans.load(conn, row["plan_hash"])
    traversal = Traversal(
        id=row["id"],
        journey_id=row["journey_id"],
        slug=row["slug"],
        version=row["version"],
        account_id=row["account_id"],
        entry=row["entry"],
        entered_at=row["entered_at"],
        epoch=row["epoch"],
        deadline=row["deadline"],
        plan_hash=row["plan_hash"],
    )
    state = State.model_validate(row["state"])
    if state.position is None and state.ended is None:
        state = core.begin(loaded.control, row["entered_at"])
    ended = None
    if row["ended_at"] is not None:
        ended = Ended(reason=row["reason"], label=row["label"], node=state.position or "")
    return Locked(traversal, loaded, state, ended, row["account"])


async def stored_outcomes(conn: Any, locked: Locked, step_no: int) -> list[Outcome]:
    """The steps from ``step_no`` on that an earlier run has committed, at most ``MOST_STORED``."""
    if locked.state.step_no <= step_no:
        return []
    rows = await sql.fetch(
        conn, "stored_steps", traversal_id=locked.traversal.id, step_no=step_no, limit=MOST_STORED
    )
    return [Outcome.model_validate(row["outcome"]) for row in rows]


class Progress:
    """The steps of a locked traversal since it was locked.

    A step is stored at the latest before the next command is served, for conditions may ask when
    the account came to a node; the last one goes with the new position, in one statement.
    """

    def __init__(self, locked: Locked) -> None:
        self._locked = locked
        self._unstored: dict[str, Any] | None = None
        self._moved = False
        self.state = locked.state
        self.account = locked.account

    def visit(self, conn: Any, plans: PlanCache, command: Command, as_of: datetime) -> Visit:
        """The visit that a command belongs to."""
        assert self.state.arrived_at is not None
        return Visit(
            conn=conn,
            plans=plans,
            loaded=self._locked.loaded,
            traversal=self._locked.traversal,
            account=self.account,
            node=command.node,
            number=command.visit,
            arrived_at=self.state.arrived_at,
            as_of=as_of,
        )

    async def follow(
        self, conn: Any, outcome: Outcome, because: dict[str, Any] | None = None
    ) -> None:
        """Take a step, which ``save`` must follow."""
        assert self.state.arrived_at is not None
        await self.flush(conn)
        self._unstored = {
            "step_no": outcome.step_no,
            "node": outcome.command.node,
            "kind": outcome.command.kind,
            "visit": outcome.command.visit,
            "arrived_at": self.state.arrived_at,
            "outcome": outcome.model_dump(mode="json", exclude_none=True),
            "because": because or {},
        }
        self.state = core.apply(self._locked.loaded.control, self.state, outcome)
        self._moved = True

    def leave(self, target: Target, at: datetime) -> None:
        """Leave the journey without a step of its own."""
        self.state = core.leave(self._locked.loaded.control, self.state, target, at)
        self._moved = True

    async def flush(self, conn: Any) -> None:
        """Store the step taken last, if it is not yet."""
        if self._unstored is not None:
            await sql.execute(
                conn, "store_step", traversal_id=self._locked.traversal.id, **self._unstored
            )
            self._unstored = None

    async def save(self, conn: Any, at: datetime) -> None:
        """Write the traversal's position, or its end, with the step taken last."""
        if not self._moved:
            return
        traversal_id, ended = self._locked.traversal.id, self.state.ended
        body = self.state.model_dump(mode="json", exclude_none=True)
        if ended is not None:
            await self.flush(conn)
            await sql.execute(
                conn,
                "end_traversal",
                traversal_id=traversal_id,
                state=body,
                at=at,
                reason=ended.reason,
                label=ended.label,
            )
        elif self._unstored is not None:
            await sql.execute(
                conn,
                "store_step_and_state",
                traversal_id=traversal_id,
                state=body,
                **self._unstored,
            )
            self._unstored = None
        else:
            await sql.execute(conn, "save_state", traversal_id=traversal_id, state=body)
