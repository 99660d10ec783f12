"""Claiming a segment's messages: a ledger row for each recipient, written before anybody is called."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from caravan.campaigns import mail_step, personal_mail
from caravan.campaigns.actions import with_savepoints_if_needed
from caravan.campaigns.candidates import Candidate
from caravan.campaigns.drawing import takes_turns
from caravan.campaigns.effects import Place
from caravan.campaigns.group_tokens import with_group
from caravan.campaigns.limit_slots import lock_ahead
from caravan.campaigns.mail_step import MailStep
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.may_send import decide
from caravan.campaigns.messages import MessageKind, kind_of
from caravan.campaigns.plans import PlanCache
from caravan.campaigns.progress import Progress, lock, stored_steps
from caravan.campaigns.served import Served, decided_before
from caravan.campaigns.stretch import walk_on
from caravan.campaigns.visit import Visit
from caravan.delivery.errors import DeliveryError
from caravan.delivery.transport import Outgoing
from caravan.engage import sql
from caravan.journeys import core
from caravan.journeys.actions import Action
from caravan.journeys.nodes import segment_actions
from caravan.journeys.plan import Plan
from caravan.journeys.reasons import SkipReason
from caravan.journeys.state import Command, Outcome


@dataclass(frozen=True)
class Message:
    """One message that is ours to hand over."""

    position: int
    person_id: int
    outgoing: Outgoing
    marketing: bool = True
    copy: int | None = None  # of the version's changed copies, the one it is written with


@dataclass(frozen=True)
class Claimed:
    """What a try has claimed."""

    step: MailStep
    messages: list[Message]
    progress: Progress


async def claim(
    pool: Any,
    plans: PlanCache,
    mailing: Mailing,
    traversal_id: int,
    step_no: int,
    claimant: str,
    at: datetime,
    *,
    go_on: bool = False,
) -> Claimed | Served:
    """Claim the mail a traversal stands at; where nothing is to be sent, what it came to instead.

    With ``go_on`` the store-only commands on the way to it are served before, as in a stretch.
    """

    async def transaction(savepoints: bool) -> Claimed | Served:
        async with pool.acquire() as conn, conn.transaction():
            return await claim_in(
                conn,
                plans,
                mailing,
                traversal_id,
                step_no,
                claimant,
                at,
                go_on=go_on,
                savepoints=savepoints,
            )

    return await with_savepoints_if_needed(transaction)


async def claim_in(
    conn: Any,
    plans: PlanCache,
    mailing: Mailing,
    traversal_id: int,
    step_no: int,
    claimant: str,
    at: datetime,
    *,
    go_on: bool,
    savepoints: bool,
    concluded: bool = False,
) -> Claimed | Served:
    """As ``claim``, in the caller's transaction.

    With ``concluded`` that transaction concludes the step too: what is claimed, it stores with the way to it.
    """
    locked = await lock(conn, plans, traversal_id, at)
    stored = await stored_steps(conn, locked, step_no)
    if stored or locked.ended is not None:
        return decided_before(locked, stored)
    progress = Progress(locked, savepoints=savepoints)
    outcomes: list[Outcome] = []
    large = drew = False
    if go_on:
        outcomes, large = await walk_on(conn, plans, progress, at)
        # others wait for the counts of a quota: they are not kept while mail is written
        drew = any(takes_turns(locked.loaded.plan.nodes[one.command.node]) for one in outcomes)
    command = core.next_command(locked.loaded.control, progress.state)
    if command is not None and command.kind == "send" and at < locked.traversal.deadline:
        await progress.hold_what_leaves(conn)
    if progress.held or large or drew or command is None or command.kind != "send":
        await progress.save(conn, at)
        ended = None if progress.held else progress.state.ended
        return Served(
            outcomes,
            ended,
            large=large,
            control=locked.loaded.control,
            held_until=progress.held_until,
        )
    if not concluded or at >= locked.traversal.deadline:
        await progress.save(conn, at)
    elif locked.loaded.looks_at_steps:
        await progress.flush(conn)
    return await _claim_step(conn, plans, mailing, progress, command, outcomes, claimant, at)


async def _claim_step(
    conn: Any,
    plans: PlanCache,
    mailing: Mailing,
    progress: Progress,
    command: Command,
    before: list[Outcome],
    claimant: str,
    at: datetime,
) -> Claimed | Served:
    locked = replace(progress.locked, state=progress.state)
    sends = _sends(locked.loaded.plan, command)
    step = MailStep(locked, command, [place.position for place, _ in sends], before)
    if at >= locked.traversal.deadline:
        return await mail_step.give_up(conn, plans, step, claimant, at)
    visit = progress.visit(conn, plans, command, at)
    channels = [kind_of(action).channel(visit, action) for _, action in sends]
    counted = {channel for channel in channels if channel is not None}
    await lock_ahead(visit, counted, [place for place, _ in sends])
    messages: list[Message] = []
    for place, action in sends:
        messages += await _claim_action(visit, mailing, place, action, claimant)
    return Claimed(step, messages, progress)


async def _claim_action(
    visit: Visit, mailing: Mailing, place: Place, action: Action, claimant: str
) -> list[Message]:
    kind, template = kind_of(action), _template(action)
    if template is not None:
        visit = await with_group(visit, template)
    people = await kind.recipients(visit, place, action)
    to_send, forgotten = await _claim_people(visit, mailing, place, action, people, claimant)
    if forgotten:
        # claimed by an earlier try, and `who` fits them no more: what they say now still counts
        again, _ = await _claim_people(visit, mailing, place, action, people + forgotten, claimant)
        to_send = sorted(again, key=lambda claimed: claimed[0].id)
    messages = []
    marketing = visit.is_marketing(template)
    for person, number in to_send:
        identity = personal_mail.identity(visit, place.position, person.id)
        try:
            outgoing = await kind.write(visit, mailing, action, person, identity, number)
        except DeliveryError as error:
            await sql.execute(
                visit.conn,
                "skip_message",
                message_id=identity,
                reason=SkipReason.BAD_VALUE,
                reply=str(error),
                at=visit.as_of,
            )
        else:
            copy = visit.copy_number(template) if template else None
            messages.append(Message(place.position, person.id, outgoing, marketing, copy))
    await _note(visit, kind, messages)
    return messages


async def _note(visit: Visit, kind: MessageKind, messages: list[Message]) -> None:
    """Have the ledger keep what it does of this kind of messages."""
    if kind.noted is None or not messages:
        return
    noted = [kind.noted(message.outgoing) for message in messages]
    await sql.execute(
        visit.conn,
        "note_messages",
        message_ids=[message.outgoing.message_id for message in messages],
        segments=[one.segments for one in noted],
        recipients=[one.recipient for one in noted],
    )


async def _claim_people(
    visit: Visit,
    mailing: Mailing,
    place: Place,
    action: Action,
    people: list[Candidate],
    claimant: str,
) -> tuple[list[tuple[Candidate, int]], list[Candidate]]:
    """Claim for these people; returns who of them gets one, with its number, and whom an earlier try
    claimed beside."""
    template = _template(action)
    decisions = await decide(visit, mailing, place, action, people)
    rows = await sql.fetch(
        visit.conn,
        "claim_messages",
        traversal_id=visit.traversal.id,
        node=visit.node,
        visit=visit.number,
        position=place.position,
        person_ids=[person.id for person in people],
        reasons=[decisions[person.id].reason for person in people],
        held_untils=[decisions[person.id].waits_until for person in people],
        paths=[place.path] * len(people),
        message_ids=[personal_mail.identity(visit, place.position, person.id) for person in people],
        action=action.kind,
        template=template,
        copy=visit.copy_number(template) if template else None,
        journey_id=visit.traversal.journey_id,
        claimant=claimant,
        at=visit.as_of,
    )
    numbers = {row["person_id"]: row["id"] for row in rows}
    beside = [
        Candidate(row["person_id"], row["attributes"])
        for row in rows
        if row["attributes"] is not None
    ]
    return [(person, numbers[person.id]) for person in people if person.id in numbers], beside


def _sends(plan: Plan, command: Command) -> list[tuple[Place, Action]]:
    segment = segment_actions(plan.nodes[command.node])[command.segment]
    return [(Place(position, path), action) for position, path, action in segment if action.sends]


def _template(action: Action) -> str | None:
    template: str | None = getattr(action, "template", None)
    return template
