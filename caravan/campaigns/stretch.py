"""A stretch: everything a traversal's row says is to be done in the stores now, in one transaction.

It locks the traversal, returns the steps already stored from the number it was given, and only then
goes on, command by command of the pure core, until something is not the stores' business: a message
to send, a service to ask, a wait, a listen, the end. A re-run after a crash therefore never decides again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from caravan.campaigns import (
    actions,
    answers,
    choosing,
    drawing,
    exits,
    listening,
    remove_from_journey,
    waiting,
)
from caravan.campaigns.effects import Place
from caravan.campaigns.locking_ahead import locks_in_turn
from caravan.campaigns.plans import PlanCache
from caravan.campaigns.progress import Progress, lock, stored_steps
from caravan.campaigns.served import Served, decided_before
from caravan.campaigns.visit import Visit
from caravan.engage import sql
from caravan.journeys import core
from caravan.journeys.control import Target
from caravan.journeys.exits import still_open
from caravan.journeys.nodes import segment_actions
from caravan.journeys.nodes.call import Call
from caravan.journeys.nodes.exit import ExitNode
from caravan.journeys.nodes.listen import Listen
from caravan.journeys.nodes.segments import acts_on_people
from caravan.journeys.nodes.wait import Wait
from caravan.journeys.reasons import ExitReason
from caravan.journeys.rests import Rest
from caravan.journeys.state import Command, Outcome, State

MAX_STEPS = 50
#: commands at which an account stands until something happens
RESTS = ("wait", "listen")
MAX_PEOPLE = 500  # each counted once for every action that looks at them


async def run(
    pool: Any,
    plans: PlanCache,
    traversal_id: int,
    step_no: int,
    as_of: datetime,
    *,
    max_steps: int = MAX_STEPS,
) -> Served:
    """Serve a traversal from step ``step_no`` on.

    Args:
        pool: the engage store.
        plans: the plans this process holds.
        traversal_id: whose row to lock.
        step_no: the first step the caller does not know.
        as_of: domain time; nothing here reads another clock.
        max_steps: 1 makes every step its own activity.
    """

    async def transaction(savepoints: bool) -> Served:
        closing: remove_from_journey.Closing | None = None
        while True:
            async with pool.acquire() as conn, conn.transaction():
                await remove_from_journey.lock_others(conn, closing)
                locked = await lock(conn, plans, traversal_id, as_of)
                control = locked.loaded.control
                stored = await stored_steps(conn, locked, step_no)
                if stored.more or locked.ended is not None or len(stored.outcomes) >= max_steps:
                    return decided_before(locked, stored)
                progress = Progress(locked, savepoints=savepoints)
                command = core.next_command(control, progress.state)
                closes = remove_from_journey.closed_by(locked, command)
                if closes != closing:
                    closing = closes  # to be locked before the account: once more from the start
                    continue
                taken, large = await walk_on(
                    conn,
                    plans,
                    progress,
                    as_of,
                    max_steps=max_steps - len(stored.outcomes),
                    closing=command,
                )
                await progress.save(conn, as_of)
                return Served(
                    stored.outcomes + taken,
                    progress.state.ended,
                    control=control,
                    large=large,
                    held_until=progress.held_until,
                    moved=stored.moved,
                )

    return await actions.with_savepoints_if_needed(transaction)


async def serve_on(
    conn: Any,
    plans: PlanCache,
    progress: Progress,
    as_of: datetime,
    *,
    taken: Sequence[Outcome],
    go_on: bool,
    people: int = 0,
) -> Served:
    """End what has served a step: store it, with ``go_on`` the store-only commands that follow too.

    Args:
        taken: the steps so far, the one that was served last.
        people: how many this transaction has dealt with before.
    """
    further: list[Outcome] = []
    large = False
    if go_on:
        further, large = await walk_on(conn, plans, progress, as_of, people=people)
    await progress.save(conn, as_of)
    return Served(
        [*taken, *further],
        progress.state.ended,
        large=large,
        control=progress.locked.loaded.control,
        held_until=progress.held_until,
    )


async def walk_on(
    conn: Any,
    plans: PlanCache,
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
    walk = _Walk(conn, plans, progress, as_of, people, closing)
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
        progress: Progress,
        as_of: datetime,
        people: int,
        closing: Command | None,
    ) -> None:
        self.conn = conn
        self.plans = plans
        self.locked = progress.locked
        self.as_of = as_of
        self.progress = progress
        self.outcomes: list[Outcome] = []
        self.people = people
        self.closing = closing
        self.rested = False  # the row that watched for it is locked
        self.alone = False  # its account is locked against all who record of it

    @property
    def state(self) -> State:
        return self.progress.state

    async def step(self) -> bool:
        """Serve the open command; False when the rest is not the stores' business now."""
        command = core.next_command(self.locked.loaded.control, self.state)
        if command is None or command.kind == "send":  # a send is an activity of its own
            return False
        if self.locked.to_move and command.segment == 0 and self.state.pending is None:
            return False  # it has come to a node: whoever locks it next moves it
        if command != self.closing and remove_from_journey.left_by(
            self.locked.loaded.plan, command
        ):
            return False  # what it closes is to be locked first: the next stretch begins with it
        if self.locked.loaded.looks_at_steps:
            await self.progress.flush(self.conn)
        if self.as_of >= self.locked.traversal.deadline:
            self._end(ExitReason.END_DATE)
            return False
        if await self.progress.hold(self.conn):
            return False
        flip = None
        self.rested = self.rested or self.state.pending is not None
        if self._may_exit(command) and not await self._is_decided(command):
            if command.kind in RESTS and not await self._lock_to_rest():
                return False
            look = exits.on_arrival if self.state.pending is None else exits.at_rest
            seen = await look(self._visit(command), self.state)
            if seen.edge is not None:
                await self._record(command, edge=seen.edge, because=seen.because)
                return True
            flip = seen.flip
        match command.kind:
            case "store":
                return await self._act(command)
            case "choose":
                return await self._choose(command)
            case "wait":
                return await self._wait(command, flip)
            case "listen":
                return await self._listen(command, flip)
            case "call":
                return await self._call(command)
            case "decide":
                return False  # to ask a model leaves the system: an activity of its own
        raise AssertionError(command.kind)

    def _may_exit(self, command: Command) -> bool:
        """Whether there are exits to look at: the account arrives or rests, at a node of its way."""
        plan = self.locked.loaded.plan
        return (
            bool(plan.exits)
            and command.segment == 0
            and not isinstance(plan.nodes[command.node], ExitNode)
            and bool(still_open(plan.exits, self.state.visits))
        )

    async def _is_decided(self, command: Command) -> bool:
        """Whether what the account rests for has come: the first commit wins, an exit seen later does not."""
        if self.state.pending is None:
            return False
        if command.kind == "listen":
            return await listening.is_over(self._visit(command))
        return command.kind == "call" and await answers.are_there(self._visit(command))

    async def _lock_to_rest(self) -> bool:
        """Before it rests: let nothing change between a look at its data and the row that watches.

        False where that must wait for a stretch of its own: others share people with this account, or
        want the row that watched its last rest, and we would wait for them and they for us.
        """
        if self.state.pending is not None:
            return True
        if self.people or self.rested:
            return False
        account_id = self.locked.traversal.account_id
        await sql.execute(self.conn, "lock_account_to_listen", account_id=account_id)
        self.alone = True
        return True

    async def _rest(self, command: Command, rest: Rest, flip: datetime | None) -> None:
        """Record that the account rests, where it does not yet rest just so."""
        look_at = flip if flip is not None and flip < rest.until else None
        pending = self.state.pending
        if pending is not None and (pending.until, pending.look_at) == (rest.until, look_at):
            return
        if self._may_exit(command):
            await exits.watch(self._visit(command), self.state, look_at)
        await self._record(command, until=rest.until, look_at=look_at, because=_fault(rest))

    def _visit(self, command: Command) -> Visit:
        return self.progress.visit(self.conn, self.plans, command, self.as_of)

    async def _act(self, command: Command) -> bool:
        visit = self._visit(command)
        node = self.locked.loaded.plan.nodes[command.node]
        segment = segment_actions(node)[command.segment]
        in_turn = any(locks_in_turn(action) for _, _, action in segment)
        if self.alone and (in_turn or acts_on_people(segment)):
            return False  # who shares people with this account may be as alone, and wait for it
        if in_turn:
            await self.progress.lock_ahead(self.conn)
        if command.segment == 0:
            await choosing.gather_people(visit, node)
        for position, path, action in segment:
            self.people += await actions.perform(visit, Place(position, path), action)
        await self._record(command, edge=self._edge_behind(command))
        return not drawing.takes_turns(node)

    async def _choose(self, command: Command) -> bool:
        node = self.locked.loaded.plan.nodes[command.node]
        edge, because = await choosing.choose_path(self._visit(command), node)
        await self._record(command, edge=edge, because=because)
        return not drawing.takes_turns(node)

    async def _wait(self, command: Command, flip: datetime | None) -> bool:
        node = self.locked.loaded.plan.nodes[command.node]
        assert isinstance(node, Wait)
        visit = self._visit(command)
        rest = waiting.rest_of(visit, node)
        if self.as_of >= rest.until:
            await waiting.unwatch(visit, node)
            await self._record(command, edge="next", because=_fault(rest))
            return True
        if self.state.pending is None:
            await waiting.watch(visit, node, self.state.step_no, rest.until)
        await self._rest(command, rest, flip)
        return False

    async def _listen(self, command: Command, flip: datetime | None) -> bool:
        node = self.locked.loaded.plan.nodes[command.node]
        assert isinstance(node, Listen)
        visit = self._visit(command)
        if self.state.pending is None:
            if self.people or self.rested:
                # its lock would wait for those who share people with this account, or who want the row
                # that watched its last rest, and they for us
                return False
            rest = await listening.arm(visit, node, self.state.step_no)
            self.alone = True
            await self._rest(command, rest, flip)
            edge, because = await listening.settle(visit)
        else:
            rest = Rest(self.state.pending.until)
            edge, because = await listening.settle(visit)
            if edge is None:
                await self._rest(command, rest, flip)
        if edge is None:
            return False
        if edge == "timeout" and self.as_of >= self.locked.traversal.deadline:
            self._end(ExitReason.END_DATE)
            return False
        await self._record(command, edge=edge, because=because)
        return True

    async def _call(self, command: Command) -> bool:
        if self.state.pending is None:
            return False  # to ask leaves the system: an activity of its own
        node = self.locked.loaded.plan.nodes[command.node]
        assert isinstance(node, Call)
        if node.of_people:
            await self.progress.lock_ahead(self.conn)
        settled = await answers.settle(self._visit(command), node, self.state.pending.until)
        if settled is None:
            return False
        self.people += settled.people
        await self._record(command, edge=settled.edge, because=settled.because)
        return True

    def _edge_behind(self, command: Command) -> str | None:
        segments = self.locked.loaded.control.nodes[command.node].segments
        return "next" if command.segment + 1 == len(segments) else None

    def _end(self, reason: ExitReason) -> None:
        self.progress.leave(Target(reason=reason), self.as_of)

    async def _record(
        self,
        command: Command,
        *,
        edge: str | None = None,
        until: datetime | None = None,
        look_at: datetime | None = None,
        because: dict[str, Any] | None = None,
    ) -> None:
        if edge is not None and self.state.pending is not None and self.locked.loaded.plan.exits:
            await exits.unwatch(self._visit(command))
        outcome = Outcome(
            step_no=self.state.step_no,
            command=command,
            edge=edge,
            until=until,
            look_at=look_at,
            at=self.as_of,
        )
        self.progress.follow(outcome, because)
        self.outcomes.append(outcome)


def _fault(rest: Rest) -> dict[str, Any] | None:
    return {"fault": rest.fault} if rest.fault else None
