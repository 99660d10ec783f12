"""``deduplicate_email``: an address gets one e-mail of a journey once, whoever of its people it is of."""

from collections.abc import Sequence

from caravan.campaigns.effects import Candidate, Place
from caravan.campaigns.visit import Visit
from caravan.engage import sql

#: the reason of who is not mailed for another has the same address
DUPLICATE = "duplicate-address"


async def addresses_taken(
    visit: Visit, place: Place, people: Sequence[Candidate]
) -> dict[int, str]:
    """Take the addresses of these people; the reason for those whose address this e-mail has gone to,
    for a traversal that is still open."""
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
