"""A visit: one arrival of one traversal at one node, as everything that serves it sees it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.campaigns.plans import LoadedPlan, PlanCache
from caravan.journeys.zones import FIELD, Zones


@dataclass(frozen=True)
class Traversal:
    """The locked row of a traversal."""

    id: int
    journey_id: int
    slug: str
    version: int
    account_id: int
    entry: int
    entered_at: datetime
    epoch: int
    deadline: datetime
    plan_hash: str


@dataclass(frozen=True)
class Visit:
    """Where we are and in which transaction.

    ``as_of`` is the only clock: the instant the caller says it is.
    """

    conn: Any
    plans: PlanCache
    loaded: LoadedPlan
    traversal: Traversal
    account: dict[str, Any]  # the account's attributes
    node: str
    number: int
    arrived_at: datetime
    as_of: datetime
    savepoints: bool = True  # each action under one, so that a bad write is an outcome

    @property
    def zones(self) -> Zones:
        """Whose clock counts for this account."""
        return self.loaded.zones(self.account.get(FIELD))

    @property
    def named(self) -> dict[str, Any]:
        """The late-bound parameters that conditions use."""
        return {
            "account_id": self.traversal.account_id,
            "as_of": self.as_of,
            "entered_at": self.traversal.entered_at,
            "traversal_id": self.traversal.id,
            "node": self.node,
            "arrived_at": self.arrived_at,
        }
