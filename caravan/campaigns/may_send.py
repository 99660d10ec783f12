"""Who may be written to now: the checks of send time, in their order, in the transaction that claims.

The first that says no is the reason that the ledger keeps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from caravan.campaigns import permission, personal_mail
from caravan.campaigns.addresses_taken import addresses_taken
from caravan.campaigns.effects import Candidate, Place
from caravan.campaigns.limit_slots import take_slots
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.messages import kind_of
from caravan.campaigns.quiet_hours import QUIET, quiet_for
from caravan.campaigns.visit import Visit
from caravan.delivery.allowed_recipients import NOT_ALLOWED
from caravan.journeys.actions import Action
from caravan.journeys.actions.send_email import SendEmail


@dataclass(frozen=True)
class Decision:
    """What is to become of one person's message: it goes, is left out for a reason, or waits."""

    reason: str | None = None
    held_until: datetime | None = None

    @property
    def goes(self) -> bool:
        return self.reason is None and self.held_until is None


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

    if visit.loaded.plan.deduplicate_email and isinstance(action, SendEmail):
        # whose mail cannot be made of their data keeps no address from others
        writable = [
            person
            for person in still(people)
            if personal_mail.can_be_written(visit, mailing, place, action.template, person)
        ]
        for person_id, reason in (await addresses_taken(visit, place, writable)).items():
            decisions[person_id] = replace(decisions[person_id], reason=reason)
    channel = kind.channel(visit, action)
    if channel is None:
        return decisions  # operational: no communication limits: neither quiet hours nor caps
    for person_id, until in quiet_for(visit, still(people)).items():
        decisions[person_id] = Decision(held_until=until) if until else Decision(QUIET)
    identities = {
        person.id: personal_mail.identity(visit, place.position, person.id) for person in people
    }
    going = [person.id for person in still(people)]
    for person_id, reason in (await take_slots(visit, place, channel, identities, going)).items():
        decisions[person_id] = Decision(reason)
    return decisions


def _not_allowed(mailing: Mailing, person: Candidate, refused: str | None) -> str | None:
    """On trial: everybody but a few is left out, whatever else speaks against them; who is texted, by their e-mail."""
    if mailing.allowed is None or refused in (permission.NO_ADDRESS, permission.INVALID):
        return None
    address = person.attributes.get("email")
    return None if address and mailing.allowed.allows(address) else NOT_ALLOWED
