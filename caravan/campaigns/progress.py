"""A traversal's progress: locking its row, and storing the steps it takes behind where it stood.

Both who serve a traversal, stretches and sends, read and write it this way alone.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.campaigns import departure, locking_ahead
from caravan.campaigns.moving import move_if_due
from caravan.campaigns.plans import Copies, LoadedPlan, PlanCache
from caravan.campaigns.visit import Traversal, Visit
from caravan.engage import sql
from caravan.engage.communication_limits import CommunicationLimits
from caravan.journeys import core
from caravan.journeys.control import Target
from caravan.journeys.moving import MIGRATE, Moved
from caravan.journeys.state import Command, Ended, Outcome, State

#: a reply of Temporal's holds 2 MB; a restarted workflow asks again until it has caught up
MOST_STORED = 500
#: what a held account waits for (traversals.held_for)
PAUSED, HALTED = "paused", "halted"


@dataclass(frozen=True)
class Locked:
    """A traversal whose row is ours until the transaction ends."""

    traversal: Traversal
    loaded: LoadedPlan
    state: State
    ended: Ended | None
    account: dict[str, Any]  # its attributes, locked too
    paused: bool  # its journey: nothing begins
    halted: bool = False  # nothing leaves
    to_move: bool = False  # to another version, before the next node it comes to
    engages: bool = False  # what people do may count, or there are groups: see ``lock_ahead``
    rested: bool = False  # it has just moved from where it rested: to rest on there is no beginning


@dataclass(frozen=True)
class Stored:
    """What an earlier run has committed: the steps, behind the last move to another version."""

    outcomes: list[Outcome]
    moved: Moved | None = None
    more: bool = False  # than one answer holds: ask again from there

    def __bool__(self) -> bool:
        return bool(self.outcomes) or self.moved is not None


async def lock(conn: Any, plans: PlanCache, traversal_id: int, at: datetime) -> Locked:
    """Lock a traversal and its account, and read where it stands.

    One that is to move to another version, and may here, is moved first; one of an account that is gone is closed.
    """
    row = await _row(conn, traversal_id)
    if row["gone"] and row["ended_at"] is None:  # admitted while its account went
        await departure.close(conn, [traversal_id], row["gone"], at)
        row = await _row(conn, traversal_id)
    loaded = await plans.load(conn, row["plan_hash"])
    rested = False
    if row["to_move"] and row["ended_at"] is None:
        rested = "pending" in row["state"]
        if await move_if_due(conn, plans, row, loaded, at):
            row = await _row(conn, traversal_id)
            loaded = await plans.load(conn, row["plan_hash"])
    copies = await plans.copies(conn, row["journey_id"], row["copies_hash"])
    limits = await plans.limits(conn, row["limits_hash"])
    return _locked(row, loaded, copies, limits, rested=rested)


async def _row(conn: Any, traversal_id: int) -> Any:
    # asked twice: what joins its version is gone where another moved it while we waited for it
    for _ in range(2):
        row = await sql.fetchrow(conn, "lock_traversal", traversal_id=traversal_id)
        if row is not None:
            return row
    raise LookupError(f"no traversal {traversal_id}")


def _locked(
    row: Any, loaded: LoadedPlan, copies: Copies, limits: CommunicationLimits, *, rested: bool
) -> Locked:
    traversal = Traversal.of(row, copies, limits)
    state = State.model_validate(row["state"])
    if state.position is None and state.ended is None:
        state = core.begin(loaded.control, row["entered_at"])
    ended = None
    if row["ended_at"] is not None:
        ended = Ended(reason=row["reason"], label=row["label"], node=state.position or "")
    return Locked(
        traversal,
        loaded,
        state,
        ended,
        row["account"],
        row["paused"],
        halted=row["halted"],
        to_move=row["to_move"],
        engages=row["engages"],
        rested=rested and state.pending is None,
    )


async def stored_steps(conn: Any, locked: Locked, step_no: int) -> Stored:
    """The steps from ``step_no`` on that an earlier run has committed, at most ``MOST_STORED``."""
    if locked.state.step_no <= step_no:
        return Stored([])
    rows = await sql.fetch(
        conn, "stored_steps", traversal_id=locked.traversal.id, step_no=step_no, limit=MOST_STORED
    )
    moved = None
    if rows and rows[0]["kind"] == MIGRATE:
        moved = Moved.model_validate(rows[0]["outcome"])
    steps = rows[1:] if moved else rows
    outcomes = [Outcome.model_validate(row["outcome"]) for row in steps]
    return Stored(outcomes, moved, more=len(rows) == MOST_STORED)


class Progress:
    """The steps of a locked traversal since it was locked.

    They are stored with the new position, in one statement; earlier only where a condition may ask
    when the account came to a node.
    """

    def __init__(self, locked: Locked, *, savepoints: bool = True) -> None:
        self.locked = locked
        self._savepoints = savepoints
        self._unstored: list[tuple[State, Outcome, dict[str, Any]]] = []
        self._moved = False
        self.held_for: str | None = None  # what it waits for, where it is to stand still
        self._locked_ahead = False
        self.state = locked.state
        self.account = locked.account

    def visit(self, conn: Any, plans: PlanCache, command: Command, as_of: datetime) -> Visit:
        """The visit that a command belongs to."""
        assert self.state.arrived_at is not None
        return Visit(
            conn=conn,
            plans=plans,
            loaded=self.locked.loaded,
            traversal=self.locked.traversal,
            account=self.account,
            node=command.node,
            number=command.visit,
            arrived_at=self.state.arrived_at,
            as_of=as_of,
            savepoints=self._savepoints,
        )

    def follow(self, outcome: Outcome, because: dict[str, Any] | None = None) -> None:
        """Take a step, which ``save`` must follow."""
        self._unstored.append((self.state, outcome, because or {}))
        self.state = core.apply(self.locked.loaded.control, self.state, outcome)
        self._moved = True

    def leave(self, target: Target, at: datetime) -> None:
        """Leave the journey without a step of its own."""
        self.state = core.leave(self.locked.loaded.control, self.state, target, at)
        self._moved = True

    async def hold(self, conn: Any) -> bool:
        """Whether nothing may begin here, for the journey is paused: then the account is held."""
        if self.locked.rested and self.state is self.locked.state:
            return False
        if self.locked.paused and self._between:
            journey_id = self.locked.traversal.journey_id
            paused = await sql.fetchval(conn, "still_paused", journey_id=journey_id)
            self.held_for = PAUSED if paused else None
        return self.held

    async def hold_what_leaves(self, conn: Any) -> bool:
        """Likewise of what leaves the system: also where sending is halted."""
        if not await self.hold(conn) and self.locked.halted and self._between:
            self.held_for = HALTED if await sql.fetchval(conn, "still_halted") else None
        return self.held

    @property
    def held(self) -> bool:
        """Whether the account is to stand still."""
        return self.held_for is not None

    @property
    def _between(self) -> bool:
        """Whether something would begin: it neither rests nor has left."""
        return self.state.pending is None and self.state.ended is None

    @property
    def held_until(self) -> datetime | None:
        """When a held account leaves at the latest; None for one that is not."""
        return self.locked.traversal.deadline if self.held else None

    async def lock_ahead(self, conn: Any) -> None:
        """Before the first that records of people or changes groups: lock all of it, where the plan has more."""
        called_for = self.locked.loaded.locks_ahead and self.locked.engages
        if called_for and not self._locked_ahead:
            self._locked_ahead = True
            await locking_ahead.lock_ahead(conn, self.locked.traversal.account_id)

    async def flush(self, conn: Any) -> None:
        """Store the steps taken, for what looks at them in this transaction."""
        if self._unstored:
            await sql.execute(conn, "store_steps", **self._take_steps())

    async def save(self, conn: Any, at: datetime) -> None:
        """Write the traversal's position, or its end, with the steps taken."""
        if not self._moved and not self.held:
            return
        state = self.state.model_dump(mode="json", exclude_none=True)
        ended = self.state.ended
        if ended is None:
            await sql.execute(
                conn,
                "save_position",
                state=state,
                held_for=self.held_for,
                at=at,
                **self._take_steps(),
            )
            return
        await sql.execute(
            conn,
            "end_traversal",
            state=state,
            at=at,
            reason=ended.reason,
            label=ended.label,
            **self._take_steps(),
        )

    def _take_steps(self) -> dict[str, Any]:
        """The steps not yet stored, by the names of their columns."""
        steps, self._unstored = self._unstored, []
        return {
            "traversal_id": self.locked.traversal.id,
            "steps": [
                {
                    "step_no": outcome.step_no,
                    "node": outcome.command.node,
                    "kind": outcome.command.kind,
                    "visit": outcome.command.visit,
                    "arrived_at": before.arrived_at,
                    "outcome": outcome.model_dump(mode="json", exclude_none=True),
                    "because": because,
                }
                for before, outcome, because in steps
            ],
        }
