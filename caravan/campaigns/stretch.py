"""A stretch: everything a traversal's row says is to be done in the stores now, in one transaction.

It locks the traversal, returns the steps already stored from the number it was given, and only then
goes on, command by command of the pure core, until something is not the stores' business: a message
to send, a wait, a listen, the end. A re-run after a crash therefore never decides again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.campaigns import actions, choosing, listening, remove_from_journey, waiting
from caravan.campaigns.effects import Place
from caravan.campaigns.plans import PlanCache
from caravan.campaigns.progress import MOST_STORED, Locked, Progress, lock, stored_outcomes
from caravan.campaigns.visit import Visit
from caravan.engage import sql
from caravan.journeys import core
from caravan.journeys.control import ControlPlan, Target
from caravan.journeys.nodes import segment_actions
from caravan.journeys.nodes.listen import Listen
from caravan.journeys.nodes.split_accounts import SplitAccounts
from caravan.journeys.nodes.split_people import SplitPeople
from caravan.journeys.nodes.wait import Wait
from caravan.journeys.state import Command, Ended, Outcome, State

MAX_STEPS = 50
MAX_PEOPLE = 500  # each counted once for every action that looks at them


@dataclass(frozen=True)
class Stretch:
    """What a stretch decided, for the workflow to follow step by step."""

    outcomes: list[Outcome]
    ended: Ended | None
    control: ControlPlan
    large: bool = False  # it stopped for its size: go on in an ordinary activity
    more: bool = False  # more stored steps than one answer holds: ask again from there


async def run(
    pool: Any,
    plans: PlanCache,
    traversal_id: int,
    step_no: int,
    as_of: datetime,
    *,
    max_steps: int = MAX_STEPS,
) -> Stretch:
    """Serve a traversal from step ``step_no`` on.

    Args:
        pool: the engage store.
        plans: the plans this process holds.
        traversal_id: whose row to lock.
        step_no: the first step the caller does not know.
        as_of: domain time; nothing here reads another clock.
        max_steps: 1 makes every step its own activity.
    """
    async with pool.acquire() as conn, conn.transaction():
        locked = await lock(conn, plans, traversal_id)
        outcomes = await stored_outcomes(conn, locked, step_no)
        if len(outcomes) == MOST_STORED:
            return Stretch(outcomes, None, locked.loaded.control, more=True)
        if locked.ended is not None or len(outcomes) >= max_steps:
            return Stretch(outcomes, locked.ended, locked.loaded.control)
        progress = Progress(locked)
        command = core.next_command(locked.loaded.control, progress.state)
        await remove_from_journey.lock_others(conn, locked, command)
        taken, large = await walk_on(
            conn,
            plans,
            locked,
            progress,
            as_of,
            max_steps=max_steps - len(outcomes),
            closing=command,
        )
        await progress.save(conn, as_of)
        return Stretch(outcomes + taken, progress.state.ended, locked.loaded.control, large=large)


async def walk_on(
    conn: Any,
    plans: PlanCache,
    locked: Locked,
    progress: Progress,
    as_of: datetime,
    *,
    max_steps: int = MAX_STEPS,
    people: int = 0,
    closing: Command | None = None,
) -> tuple[list[Outcome], bool]:
    """Serve the store-only commands that are open now, in the caller's transaction.

    Args:
        progress: the caller saves it behind.
        max_steps: how many steps at most.
        people: how many this transaction has dealt with before.
        closing: the command that may close the account's other traversals, whose rows are locked.

    Returns:
        The steps taken, and whether it stopped for the number of people.
    """
    walk = _Walk(conn, plans, locked, progress, as_of, people, closing)
    if people < MAX_PEOPLE:
        await walk.enter()
    while len(walk.outcomes) < max_steps and walk.people < MAX_PEOPLE:
        if not await walk.step():
            break
    return walk.outcomes, walk.people >= MAX_PEOPLE


class _Walk:
    """One pass over the store-only commands of a locked traversal."""

    def __init__(
        self,
        conn: Any,
        plans: PlanCache,
        locked: Locked,
        progress: Progress,
        as_of: datetime,
        people: int,
        closing: Command | None,
    ) -> None:
        self.conn = conn
        self.plans = plans
        self.locked = locked
        self.as_of = as_of
        self.progress = progress
        self.outcomes: list[Outcome] = []
        self.people = people
        self.closing = closing

    @property
    def state(self) -> State:
        return self.progress.state

    async def enter(self) -> None:
        row = await sql.fetchrow(
            self.conn, "lock_account_for_stretch", account_id=self.locked.traversal.account_id
        )
        self.progress.account = row["attributes"]

    async def step(self) -> bool:
        """Serve the open command; False when the rest is not the stores' business now."""
        command = core.next_command(self.locked.loaded.control, self.state)
        if command is None or command.kind == "send":  # a send is an activity of its own
            return False
        if command != self.closing and remove_from_journey.left_by(
            self.locked.loaded.plan, command
        ):
            return False  # what it closes is to be locked first: the next stretch begins with it
        await self.progress.flush(self.conn)
        if self.as_of >= self.locked.traversal.deadline:
            self._end("end-date")
            return False
        match command.kind:
            case "store":
                return await self._act(command)
            case "choose":
                return await self._choose(command)
            case "wait":
                return await self._wait(command)
            case "listen":
                return await self._listen(command)
        raise AssertionError(command.kind)

    def _visit(self, command: Command) -> Visit:
        return self.progress.visit(self.conn, self.plans, command, self.as_of)

    async def _act(self, command: Command) -> bool:
        visit = self._visit(command)
        node = self.locked.loaded.plan.nodes[command.node]
        if command.segment == 0:
            await choosing.gather_people(visit, node if isinstance(node, SplitPeople) else None)
        segment = segment_actions(node)[command.segment]
        for position, path, action in segment:
            self.people += await actions.perform(visit, Place(position, path), action)
        await self._record(command, edge=self._edge_behind(command))
        return True

    async def _choose(self, command: Command) -> bool:
        node = self.locked.loaded.plan.nodes[command.node]
        assert isinstance(node, SplitAccounts)
        edge, because = await choosing.choose_path(self._visit(command), node)
        await self._record(command, edge=edge, because=because)
        return True

    async def _wait(self, command: Command) -> bool:
        node = self.locked.loaded.plan.nodes[command.node]
        assert isinstance(node, Wait)
        visit = self._visit(command)
        until = waiting.ends_at(visit, node)
        if self.as_of >= until:
            await waiting.unwatch(visit, node)
            await self._record(command, edge="next")
            return True
        if self.state.pending is None or self.state.pending.until != until:
            if self.state.pending is None:
                await waiting.watch(visit, node, self.state.step_no, until)
            await self._record(command, until=until)
        return False

    async def _listen(self, command: Command) -> bool:
        node = self.locked.loaded.plan.nodes[command.node]
        assert isinstance(node, Listen)
        visit = self._visit(command)
        if self.state.pending is None:
            if self.people:
                # its lock would wait for those who share people with this account, and they for us
                return False
            until = await listening.arm(visit, node, self.state.step_no)
            await self._record(command, until=until)
        edge, because = await listening.settle(visit)
        if edge is None:
            return False
        if edge == "timeout" and self.as_of >= self.locked.traversal.deadline:
            self._end("end-date")
            return False
        await self._record(command, edge=edge, because=because)
        return True

    def _edge_behind(self, command: Command) -> str | None:
        segments = self.locked.loaded.control.nodes[command.node].segments
        return "next" if command.segment + 1 == len(segments) else None

    def _end(self, reason: str) -> None:
        self.progress.leave(Target(reason=reason), self.as_of)

    async def _record(
        self,
        command: Command,
        *,
        edge: str | None = None,
        until: datetime | None = None,
        because: dict[str, Any] | None = None,
    ) -> None:
        outcome = Outcome(
            step_no=self.state.step_no, command=command, edge=edge, until=until, at=self.as_of
        )
        await self.progress.follow(self.conn, outcome, because)
        self.outcomes.append(outcome)
