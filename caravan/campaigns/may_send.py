"""Who may be written to now: the checks of send time, in their order, in the transaction that claims.

The first that says no is the reason that the ledger keeps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from caravan.campaigns import addresses_taken, personal_mail
from caravan.campaigns.addresses_taken import Addresses
from caravan.campaigns.candidates import Candidate
from caravan.campaigns.effects import Place
from caravan.campaigns.limit_slots import Room, look_for_room
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.messages import kind_of
from caravan.campaigns.quiet_hours import quiet_for
from caravan.campaigns.visit import Visit
from caravan.engage import sql
from caravan.journeys.actions import Action
from caravan.journeys.actions.send_email import SendEmail
from caravan.journeys.reasons import SkipReason


@dataclass(frozen=True)
class Decision:
    """What is to become of one person's message: it goes, is left out for a reason, or waits."""

    reason: SkipReason | None = None
    waits_until: datetime | None = None

    @property
    def goes(self) -> bool:
        return self.reason is None and self.waits_until is None


async def decide(
    visit: Visit, mailing: Mailing, place: Place, action: Action, people: Sequence[Candidate]
) -> dict[int, Decision]:
    """Decide for each of these people, by id."""
    kind = kind_of(action)
    refused = await kind.reasons(visit, mailing, action, people)
    decisions = {
        person.id: Decision(_not_allowed(mailing, person, refused[person.id]) or refused[person.id])
        for person in people
    }

    def still(people: Sequence[Candidate]) -> list[Candidate]:
        return [person for person in people if decisions[person.id].goes]

    channel = kind.channel(visit, action)
    if channel is not None:  # what is operational minds neither quiet hours nor caps
        for person_id, until in quiet_for(visit, still(people)).items():
            decisions[person_id] = (
                Decision(waits_until=until) if until else Decision(SkipReason.QUIET_HOURS)
            )
    # counts are locked before addresses, as where one claim decides for several actions (limit_slots.lock_ahead)
    room = None
    if channel is not None:
        identities = {
            person.id: personal_mail.identity(visit, place.position, person.id) for person in people
        }
        going = [person.id for person in still(people)]
        room = await look_for_room(visit, place, channel, identities, going)
    addresses = None
    if visit.loaded.plan.deduplicate_email and isinstance(action, SendEmail):
        # whose mail cannot be made of their data keeps no address from others
        writable = [
            person
            for person in people
            if decisions[person.id].reason is None
            and personal_mail.can_be_written(visit, mailing, place, action.template, person)
        ]
        addresses = await addresses_taken.take(visit, place, writable)
    return decisions | await _first_come(visit, decisions, addresses, room)


async def _first_come(
    visit: Visit, decisions: Mapping[int, Decision], addresses: Addresses | None, room: Room | None
) -> dict[int, Decision]:
    """Who comes too late for an address, or finds no room: asked in turn, for who is left out takes nothing."""
    late: dict[int, Decision] = {}
    for person_id in await _in_turn(visit, decisions, addresses, room):
        if addresses is not None and addresses.are_gone_for(person_id):
            late[person_id] = Decision(SkipReason.DUPLICATE_ADDRESS)
            if room is not None:
                room.leave(person_id)
            continue
        if room is not None and decisions[person_id].goes and (reason := room.take(person_id)):
            late[person_id] = Decision(reason)
        elif addresses is not None:
            addresses.give(person_id)
    if room is not None:
        await room.write()
    if addresses is not None:
        await addresses.write()
    return late


async def _in_turn(
    visit: Visit, decisions: Mapping[int, Decision], addresses: Addresses | None, room: Room | None
) -> list[int]:
    if addresses is None:
        return room.in_turn if room is not None else []
    left = sorted(person_id for person_id, one in decisions.items() if one.reason is None)
    rows = await sql.fetch(
        visit.conn, "people_in_turn", person_ids=left, account_id=visit.traversal.account_id
    )
    return [row["id"] for row in rows]


def _not_allowed(
    mailing: Mailing, person: Candidate, refused: SkipReason | None
) -> SkipReason | None:
    """On trial: everybody but a few is left out, whatever else speaks against them; who is texted, by their e-mail."""
    if mailing.allowed is None or refused in (SkipReason.NO_ADDRESS, SkipReason.INVALID_ADDRESS):
        return None
    address = person.attributes.get("email")
    return None if address and mailing.allowed.allows(address) else SkipReason.NOT_ALLOWED_RECIPIENT
