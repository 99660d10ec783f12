"""Claiming a segment's mail: a ledger row for each person, written before the relay is called."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.campaigns import mail_step, personal_mail
from caravan.campaigns.effects import BAD_VALUE, Candidate, Place, candidates
from caravan.campaigns.mail_step import MailStep, Sending
from caravan.campaigns.plans import PlanCache
from caravan.campaigns.progress import MOST_STORED, Progress, lock, stored_outcomes
from caravan.campaigns.visit import Visit
from caravan.delivery.errors import DeliveryError
from caravan.delivery.transport import Outgoing
from caravan.engage import sql
from caravan.journeys import core
from caravan.journeys.actions.send_email import SendEmail
from caravan.journeys.nodes import segment_actions
from caravan.journeys.plan import Plan
from caravan.journeys.state import Command

#: the reason of who is not mailed for another has the same address
DUPLICATE = "duplicate-address"


@dataclass(frozen=True)
class Message:
    """One mail that is ours to hand over."""

    position: int
    person_id: int
    outgoing: Outgoing


@dataclass(frozen=True)
class Claimed:
    """What a try has claimed."""

    step: MailStep
    messages: list[Message]


async def claim(
    pool: Any, plans: PlanCache, traversal_id: int, step_no: int, claimant: str, at: datetime
) -> Claimed | Sending:
    """Claim the mail a traversal stands at; where nothing is to be sent, what it came to instead."""
    async with pool.acquire() as conn, conn.transaction():
        locked = await lock(conn, plans, traversal_id)
        outcomes = await stored_outcomes(conn, locked, step_no)
        command = core.next_command(locked.loaded.control, locked.state)
        if outcomes or locked.ended is not None or command is None or command.kind != "send":
            more = len(outcomes) == MOST_STORED
            return Sending(outcomes, None if more else locked.ended, more)
        sends = _sends(locked.loaded.plan, command)
        step = MailStep(locked, command, [place.position for place, _ in sends])
        if at >= locked.traversal.deadline:
            return await mail_step.give_up(conn, plans, step, claimant, at)
        visit = Progress(locked).visit(conn, plans, command, at)
        messages: list[Message] = []
        for place, action in sends:
            messages += await _claim_action(visit, place, action, claimant)
        return Claimed(step, messages)


async def _claim_action(
    visit: Visit, place: Place, action: SendEmail, claimant: str
) -> list[Message]:
    people = await candidates(visit, place, action.who)
    await _claim_people(visit, place, action, people, claimant)
    to_send = await _to_send(visit, place)
    known = {person.id for person in people}
    if forgotten := [person for person in to_send if person.id not in known]:
        # claimed by an earlier try, and `who` fits them no more: what they say now still counts
        await _claim_people(visit, place, action, forgotten, claimant)
        to_send = await _to_send(visit, place)
    messages = []
    for person in to_send:
        identity = personal_mail.identity(visit, place.position, person.id)
        try:
            outgoing = personal_mail.write(visit, action.template, person, identity)
        except DeliveryError as error:
            await sql.execute(
                visit.conn,
                "skip_message",
                message_id=identity,
                reason=BAD_VALUE,
                reply=str(error),
                at=visit.as_of,
            )
        else:
            messages.append(Message(place.position, person.id, outgoing))
    return messages


async def _claim_people(
    visit: Visit, place: Place, action: SendEmail, people: list[Candidate], claimant: str
) -> None:
    operational = visit.loaded.plan.templates[action.template].operational
    reasons = {
        person.id: personal_mail.skip_reason(person.attributes, operational) for person in people
    }
    if visit.loaded.plan.deduplicate_email:
        mailable = [person for person in people if reasons[person.id] is None]
        reasons |= await _duplicates(visit, place, mailable)
    await sql.execute(
        visit.conn,
        "claim_messages",
        traversal_id=visit.traversal.id,
        node=visit.node,
        visit=visit.number,
        position=place.position,
        person_ids=[person.id for person in people],
        reasons=[reasons[person.id] for person in people],
        paths=[place.path] * len(people),
        message_ids=[personal_mail.identity(visit, place.position, person.id) for person in people],
        template=action.template,
        claimant=claimant,
        at=visit.as_of,
    )


async def _duplicates(visit: Visit, place: Place, people: list[Candidate]) -> dict[int, str | None]:
    """Those whose address this e-mail has gone to, for a traversal that is still open."""
    if not people:
        return {}
    rows = await sql.fetch(
        visit.conn,
        "take_addresses",
        slug=visit.traversal.slug,
        node=visit.node,
        position=place.position,
        addresses=[person.attributes["email"].casefold() for person in people],
        person_ids=[person.id for person in people],
        traversal_id=visit.traversal.id,
        visit=visit.number,
    )
    ours = {row["person_id"] for row in rows}
    return {person.id: DUPLICATE for person in people if person.id not in ours}


async def _to_send(visit: Visit, place: Place) -> list[Candidate]:
    rows = await sql.fetch(
        visit.conn,
        "messages_to_send",
        traversal_id=visit.traversal.id,
        node=visit.node,
        visit=visit.number,
        positions=[place.position],
    )
    return [Candidate(row["person_id"], row["person"]) for row in rows]


def _sends(plan: Plan, command: Command) -> list[tuple[Place, SendEmail]]:
    segment = segment_actions(plan.nodes[command.node])[command.segment]
    return [
        (Place(position, path), action)
        for position, path, action in segment
        if isinstance(action, SendEmail)
    ]
