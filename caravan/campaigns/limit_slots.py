"""Communication limits at send time: a message goes if everyone it counts for has room, and takes it then.

In the transaction that claims, as its last check. Counts are rows, locked in one order by all; so two journeys
that race for the last slot take turns, and nobody waits in a circle. What a message has taken is keyed by its
Message-ID: a try after one that died finds it and takes nothing twice. If the period has changed since, it
moves to the one it is sent in. Giving back is the ledger's (see the migration): whoever says that a message is
not sent gives back what it held.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from caravan.campaigns.effects import Place
from caravan.campaigns.visit import Visit
from caravan.engage import sql
from caravan.engage.communication_limits import Rule
from caravan.journeys.documents.communication_limits import SUBJECTS, Channel, Subject
from caravan.journeys.limit_periods import end_of, period_of
from caravan.journeys.reasons import SkipReason

#: why a message does not go, by whose limit says so
FULL: dict[Subject, SkipReason] = {
    "person": SkipReason.LIMIT_PERSON,
    "account": SkipReason.LIMIT_ACCOUNT,
    "buying_group": SkipReason.LIMIT_BUYING_GROUP,
}


class Count(NamedTuple):
    """What a slot is one of; sorted, the order in which counts are locked."""

    rule_id: int
    subject_id: int
    period: int


class Room:
    """What the messages of an action may take, locked until the transaction ends; they ask in turn."""

    def __init__(
        self, slots: "_Slots", identities: Mapping[int, str], wanted: Mapping[int, list[Count]]
    ) -> None:
        self._slots = slots
        self._identities = identities
        self._wanted = wanted

    @property
    def in_turn(self) -> list[int]:
        """Who may ask, the first by the ids of their team."""
        return list(self._wanted)

    def take(self, person_id: int) -> SkipReason | None:
        """Take for this person's message; the reason where there has been enough."""
        if person_id not in self._wanted:  # it has been decided before
            return None
        rule = self._slots.take(self._identities[person_id], self._wanted[person_id])
        return None if rule is None else FULL[rule.per]

    def leave(self, person_id: int) -> None:
        """Their message does not go after all: what an earlier try had taken for it is given back."""
        if person_id in self._wanted:
            self._slots.give_back(self._identities[person_id])

    async def write(self) -> None:
        """Write what was taken and given back."""
        await self._slots.move()


async def look_for_room(
    visit: Visit,
    place: Place,
    channel: Channel,
    identities: Mapping[int, str],
    going: Collection[int],
) -> Room | None:
    """Lock what the messages of these people count for; None where nothing limits them.

    Args:
        visit: where they are sent from.
        place: their action's.
        channel: what they go by.
        identities: the Message-ID of everybody the action is decided for, by person.
        going: whose message goes if there is room; what the others have taken is given back.
    """
    rules = _in_order(visit, channel)
    if not rules or not identities:
        return None
    slots = _Slots(visit, rules)
    open_ = await slots.look(identities, [place.position])
    wanted = await slots.people(sorted(open_.intersection(going)))
    await slots.lock(wanted.values())
    for person in open_.difference(going):
        slots.give_back(identities[person])
    return Room(slots, identities, wanted)


async def lock_ahead(visit: Visit, channels: Collection[Channel], places: Sequence[Place]) -> None:
    """Where one claim decides for several actions: lock what any of them may count, in one order.

    Each alone is in order, one behind the other they would not be.
    """
    rules = _in_order(visit, *channels)
    if not rules or len(places) < 2:
        return
    rows = await sql.fetch(visit.conn, "people_of_visit", **_of(visit))
    person_ids = [row["person_id"] for row in rows]
    slots = _Slots(visit, rules)
    await slots.look(dict.fromkeys(person_ids, ""), [place.position for place in places])
    await slots.lock((await slots.people(person_ids)).values())


def _in_order(visit: Visit, *channels: Channel) -> list[Rule]:
    """The rules that hold, those of the narrowest subject first: it is the reason that is told."""
    rules = {rule for channel in channels for rule in visit.traversal.limits.of(channel)}
    return sorted(rules, key=lambda rule: (SUBJECTS.index(rule.per), rule.id))


def _of(visit: Visit) -> dict[str, Any]:
    return {"traversal_id": visit.traversal.id, "node": visit.node, "visit": visit.number}


@dataclass
class _Slots:
    """What messages have taken and what is counted, while it is ours alone."""

    visit: Visit
    rules: Sequence[Rule]
    found: dict[str, set[Count]] = field(default_factory=dict)  # what each has, by message
    used: dict[Count, int] = field(default_factory=dict)
    given: list[tuple[str, Count]] = field(default_factory=list)
    taken: list[tuple[str, Count]] = field(default_factory=list)

    def __post_init__(self) -> None:
        at = self.visit.as_of
        self.periods = {rule.id: period_of(at, rule.every, rule.zone) for rule in self.rules}
        self.at_most = {rule.id: rule.at_most for rule in self.rules}
        self.by_id = {rule.id: rule for rule in self.rules}

    async def look(self, people: Collection[int], positions: Sequence[int]) -> set[int]:
        """Lock what stands in the ledger already, see what it has; whose messages are still to be sent."""
        conn = self.visit.conn
        rows = await sql.fetch(
            conn,
            "messages_that_stand",
            **_of(self.visit),
            positions=list(positions),
            person_ids=sorted(people),
            waited=self.visit.waited,
        )
        if rows:
            ids = [row["message_id"] for row in rows if row["message_id"] is not None]
            for slot in await sql.fetch(conn, "slots_of_messages", message_ids=ids):
                count = Count(slot["rule_id"], slot["subject_id"], slot["period"])
                self.found.setdefault(slot["message_id"], set()).add(count)
        return set(people) - {row["person_id"] for row in rows if not row["open"]}

    async def people(self, person_ids: Sequence[int]) -> dict[int, list[Count]]:
        """What a message to each of these people counts for, in their turn."""
        account_id = self.visit.traversal.account_id
        rows = await sql.fetch(
            self.visit.conn, "people_in_turn", person_ids=person_ids, account_id=account_id
        )
        return {
            row["id"]: [
                Count(rule.id, subject, self.periods[rule.id])
                for rule in self.rules
                for subject in {
                    "person": [row["id"]],
                    "account": [account_id],
                    "buying_group": row["groups"],
                }[rule.per]
            ]
            for row in rows
        }

    async def lock(self, wanted: Iterable[Collection[Count]]) -> None:
        """Lock the counts that may change, and read them."""
        counts = sorted({count for some in (*wanted, *self.found.values()) for count in some})
        rows = await sql.fetch(
            self.visit.conn,
            "lock_counts",
            rule_ids=[count.rule_id for count in counts],
            subject_ids=[count.subject_id for count in counts],
            periods=[count.period for count in counts],
            ends=[self._end(count) for count in counts],
        )
        self.used = {
            Count(row["rule_id"], row["subject_id"], row["period"]): row["used"] for row in rows
        }

    def take(self, message: str, wanted: Sequence[Count]) -> Rule | None:
        """All that a message counts for, or nothing; the first rule that says no."""
        has = self.found.get(message, set())
        missing = [count for count in wanted if count not in has]
        for count in missing:
            if self.used[count] >= self.at_most[count.rule_id]:
                self.give_back(message)
                return self.by_id[count.rule_id]
        for count in missing:
            self.used[count] += 1
            self.taken.append((message, count))
        self._give(message, has.difference(wanted))
        return None

    def give_back(self, message: str) -> None:
        """Whatever a message has."""
        self._give(message, self.found.get(message, set()))

    def _give(self, message: str, counts: Iterable[Count]) -> None:
        for count in counts:
            self.used[count] -= 1
            self.given.append((message, count))

    async def move(self) -> None:
        """Write what was given back and taken."""
        if not self.given and not self.taken:
            return
        await sql.execute(
            self.visit.conn,
            "move_slots",
            **_columns(
                self.given, "given_messages", "given_rules", "given_subjects", "given_periods"
            ),
            **_columns(self.taken, "messages", "rules", "subjects", "periods"),
        )

    def _end(self, count: Count) -> datetime:
        rule = self.by_id.get(count.rule_id)
        if rule is None:  # it is in force no more: its count is there, or was forgotten
            return self.visit.as_of
        return end_of(count.period, rule.every, rule.zone)


def _columns(slots: Sequence[tuple[str, Count]], *names: str) -> dict[str, list[Any]]:
    message, rule, subject, period = names
    return {
        message: [one for one, _ in slots],
        rule: [count.rule_id for _, count in slots],
        subject: [count.subject_id for _, count in slots],
        period: [count.period for _, count in slots],
    }
