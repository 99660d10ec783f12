"""Who is inside, and when each is to be looked at again."""

import heapq
from dataclasses import dataclass, field
from datetime import datetime

from caravan.journeys import core
from caravan.journeys.control import ControlPlan
from caravan.journeys.state import Command, Ended, Outcome, State
from caravan.simulation.decisions import Decision


@dataclass
class Traveller:
    """One traversal, followed by the core as a workflow follows it."""

    traversal_id: int
    account_id: int
    account: str  # outside id, by which accounts take turns
    entered_at: datetime
    control: ControlPlan
    mail_first: bool = False  # the first send also serves the commands before it
    state: State = field(default_factory=State)
    awaits: Decision | None = None  # which comes later than it has come to the node

    def command(self) -> Command | None:
        return core.next_command(self.control, self.state)

    def follow(self, outcomes: list[Outcome], ended: Ended | None) -> int:
        """Take the outcomes; returns how many they were."""
        if self.state.position is None and self.state.ended is None:
            self.state = core.begin(self.control, self.entered_at)
        for outcome in outcomes:
            self.state = core.apply(self.control, self.state, outcome)
        if ended is not None and self.state.ended is None:
            self.state = self.state.model_copy(update={"ended": ended, "pending": None})
        return len(outcomes)

    @property
    def until(self) -> datetime | None:
        """When it is to be looked at again if nothing happens before; None while it is not at rest."""
        if self.awaits is not None:
            return self.awaits.at
        return self.state.pending.wakes_at if self.state.pending is not None else None


class Agenda:
    """Travellers by traversal, and a heap of the instants at which their rests end."""

    def __init__(self) -> None:
        self.inside: dict[int, Traveller] = {}
        self._rests: list[tuple[datetime, str, int]] = []

    def rest(self, traveller: Traveller) -> None:
        """Note what became of a traveller: at rest until then, or gone."""
        if traveller.state.ended is not None:
            self.inside.pop(traveller.traversal_id, None)
            return
        self.inside[traveller.traversal_id] = traveller
        if traveller.until is not None:
            entry = (traveller.until, traveller.account, traveller.traversal_id)
            heapq.heappush(self._rests, entry)

    def next_rest(self) -> datetime | None:
        """The first instant at which a rest ends."""
        while self._rests:
            until, _, traversal_id = self._rests[0]
            traveller = self.inside.get(traversal_id)
            if traveller is not None and traveller.until == until:
                return until
            heapq.heappop(self._rests)  # it was woken before, or its date has moved
        return None

    def due(self, at: datetime) -> list[Traveller]:
        """Those whose rest is over, by account; they are off the heap."""
        due = {}
        while (until := self.next_rest()) is not None and until <= at:
            traversal_id = heapq.heappop(self._rests)[2]
            due[traversal_id] = self.inside[traversal_id]
        return list(due.values())


def in_order(travellers: dict[int, Traveller]) -> list[Traveller]:
    """Accounts in order of id, as they take turns at one instant."""
    return sorted(travellers.values(), key=lambda one: (one.account, one.traversal_id))
