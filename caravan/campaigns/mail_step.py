"""The step that a segment of mail is: what the ledger says of its messages, and how it is concluded."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.campaigns import recording
from caravan.campaigns.actions import with_savepoints_if_needed
from caravan.campaigns.messages import MESSAGES
from caravan.campaigns.plans import PlanCache
from caravan.campaigns.progress import Locked, Progress, lock, stored_steps
from caravan.campaigns.served import Served, decided_before
from caravan.campaigns.stretch import serve_on
from caravan.delivery.errors import RelayUnreachable
from caravan.engage import sql
from caravan.engage.happening import Happening
from caravan.journeys.control import Target
from caravan.journeys.reasons import ExitReason, SkipReason
from caravan.journeys.state import Command, Outcome


@dataclass(frozen=True)
class MailStep:
    """A segment of mail as its traversal was locked for it."""

    locked: Locked
    command: Command
    positions: list[int]
    before: list[Outcome]  # what was decided on the way to it, in the claim's transaction

    @property
    def key(self) -> dict[str, Any]:
        """What the segment's messages have in common."""
        return {
            "traversal_id": self.locked.traversal.id,
            "node": self.command.node,
            "visit": self.command.visit,
            "positions": self.positions,
        }


async def conclude(
    pool: Any,
    plans: PlanCache,
    step: MailStep,
    claimant: str,
    at: datetime,
    *,
    go_on: bool,
) -> Served:
    """Record the step and the activities of what was accepted, in one transaction.

    With ``go_on`` the store-only commands that follow are served in it too, as in a stretch.
    """

    async def transaction(savepoints: bool) -> Served:
        async with pool.acquire() as conn, conn.transaction():
            locked = await lock(conn, plans, step.locked.traversal.id, at)
            progress = Progress(locked, savepoints=savepoints)
            rows = await sql.fetch(conn, "settled_messages", **step.key)
            return await conclude_in(conn, plans, step, progress, rows, claimant, at, go_on=go_on)

    return await with_savepoints_if_needed(transaction)


async def conclude_in(
    conn: Any,
    plans: PlanCache,
    step: MailStep,
    progress: Progress,
    rows: list[Any],
    claimant: str,
    at: datetime,
    *,
    go_on: bool,
    captured: bool = False,
) -> Served:
    """As ``conclude``, in the caller's transaction.

    Args:
        progress: of the traversal as it is locked now; its steps may be still to store.
        rows: its messages, read under that lock.
        captured: what was accepted has been delivered too.
    """
    locked = progress.locked
    stored = await stored_steps(conn, locked, step.locked.state.step_no)
    if any(row["state"] == "handed_over" for row in rows):
        # what another try has in hand is in doubt until it says otherwise
        await doubt_abandoned(conn, step, claimant, at)
        rows = await sql.fetch(conn, "settled_messages", **step.key)
    if go_on:
        await progress.lock_ahead(conn)
    await _record_sent(conn, plans, step, rows, at, captured=captured)
    if stored or locked.ended is not None:
        return decided_before(locked, stored, step.before)
    if any(row["state"] == "claimed" for row in rows):
        if await progress.hold_what_leaves(conn):
            await progress.save(conn, at)
            return Served(
                step.before, None, control=locked.loaded.control, held_until=progress.held_until
            )
        raise RelayUnreachable("not every message has been handed over: the step is tried again")
    outcome = _outcome(step.command, rows, progress, at)
    progress.follow(outcome)
    taken = [*step.before, outcome]
    return await serve_on(conn, plans, progress, at, taken=taken, go_on=go_on, people=len(rows))


def _outcome(command: Command, rows: Sequence[Any], progress: Progress, at: datetime) -> Outcome:
    """What became of the step's messages."""
    segments = progress.locked.loaded.control.nodes[command.node].segments
    return Outcome(
        step_no=progress.state.step_no,
        command=command,
        edge="next" if command.segment + 1 == len(segments) else None,
        at=at,
        counts=dict(Counter(row["state"] for row in rows)),
    )


async def give_up(
    conn: Any, plans: PlanCache, step: MailStep, claimant: str, at: datetime
) -> Served:
    """The journey ended while the relay was away: what has not left does not leave any more."""
    await doubt_abandoned(conn, step, claimant, at)
    await _record_sent(conn, plans, step, await sql.fetch(conn, "settled_messages", **step.key), at)
    progress = Progress(step.locked)
    progress.leave(Target(reason=ExitReason.END_DATE), at)
    await progress.save(conn, at)
    # last, for what it gives back locks the counts of limits, which are behind every other lock
    await sql.execute(
        conn,
        "skip_unsent",
        traversal_id=step.locked.traversal.id,
        node=step.command.node,
        visit=step.command.visit,
        reason=SkipReason.JOURNEY_NOT_LIVE,
        at=at,
    )
    return Served(step.before, progress.state.ended, control=step.locked.loaded.control)


async def may_still_leave(pool: Any, step: MailStep) -> bool:
    """Whether anything of it may: its traversal is open, and nobody has stopped its journey or sending."""
    traversal = step.locked.traversal
    leaves: bool = await sql.fetchval(
        pool, "may_still_leave", traversal_id=traversal.id, epoch=traversal.epoch
    )
    return leaves


async def doubt_abandoned(conn: Any, step: MailStep, claimant: str, at: datetime) -> None:
    """What another try handed over and never settled is in doubt."""
    await sql.execute(conn, "doubt_abandoned", **step.key, claimant=claimant, at=at)


async def _record_sent(
    conn: Any,
    plans: PlanCache,
    step: MailStep,
    rows: list[Any],
    at: datetime,
    *,
    captured: bool = False,
) -> None:
    whats = ("sent", "delivered") if captured else ("sent",)
    happenings = [
        happened(
            name,
            what,
            row["at"],
            message_id=row["message_id"],
            person_id=row["person_id"],
            template=row["template"],
            slug=step.locked.traversal.slug,
            node=step.command.node,
        )
        for row in rows
        if row["state"] == "accepted" and (name := MESSAGES[row["action"]].happens_as)
        for what in whats
    ]
    await recording.record(conn, plans, happenings, at)


def happened(
    name: str,
    what: str,
    at: datetime,
    *,
    message_id: str,
    person_id: int,
    template: str | None,
    slug: str,
    node: str,
) -> Happening:
    """The activity of a message of a kind: ``sent``, or ``delivered``; recorded once however often it is said."""
    of_mail = {"template": template} if template is not None else {}
    return Happening(
        f"{name}_{what}",
        at,
        person_id=person_id,
        external_id=f"{what}:{message_id}",
        fields={**of_mail, "journey": slug, "node": node, "message": message_id},
    )
