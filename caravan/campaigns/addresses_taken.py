"""``deduplicate_email``: an address gets one e-mail of a journey once, whoever of its people it is of.

Whose it is is decided with everything else that is asked when a message is claimed: it goes to the first of its
people, by the ids their team knows, who is sent to, now or at the hour they wait for. So somebody whom a limit or
quiet hours leave out keeps it from nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from caravan.campaigns.candidates import Candidate
from caravan.campaigns.effects import Place
from caravan.campaigns.visit import Visit
from caravan.engage import sql


@dataclass
class Addresses:
    """The addresses of a send that are still to be had, locked until the transaction ends."""

    visit: Visit
    place: Place
    elsewhere: set[int]  # whose address this e-mail has gone to, for a traversal that is still open
    of: dict[int, str]  # by person, where it is not
    had: dict[str, int]  # who had each when we looked
    given: dict[str, int] = field(default_factory=dict)

    def are_gone_for(self, person_id: int) -> bool:
        """Whether somebody else has this person's."""
        return person_id in self.elsewhere or self.of.get(person_id) in self.given

    def give(self, person_id: int) -> None:
        """It is theirs, if they have one to be had."""
        if person_id in self.of:
            self.given[self.of[person_id]] = person_id

    async def write(self) -> None:
        """Write down whose they are; those that nobody got are anybody's again."""
        moved = [one for one, person_id in self.had.items() if self.given.get(one) != person_id]
        if moved:
            await sql.execute(
                self.visit.conn,
                "move_addresses",
                slug=self.visit.traversal.slug,
                node=self.visit.node,
                position=self.place.position,
                addresses=moved,
                person_ids=[self.given.get(one) for one in moved],
            )


async def take(visit: Visit, place: Place, people: Sequence[Candidate]) -> Addresses:
    """Lock the addresses of these people, as far as they are still to be had."""
    rows = []
    if people:
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
            waited=visit.waited,
        )
    of = {row["person_id"]: row["address"] for row in rows}
    return Addresses(
        visit,
        place,
        elsewhere={person.id for person in people}.difference(of),
        of=of,
        had={row["address"]: row["owner"] for row in rows},
    )
