"""A visit: one arrival of one traversal at one node, as everything that serves it sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from caravan.campaigns.plans import Copies, LoadedPlan, PlanCache
from caravan.delivery.compose import CompiledTemplate
from caravan.engage.communication_limits import NO_COMMUNICATION_LIMITS, CommunicationLimits
from caravan.journeys.zones import FIELD, Zones

#: the account's buying groups by solution interest, null fields where it has none
Groups = Mapping[str, "GroupInWords"]


@dataclass(frozen=True)
class GroupInWords:
    """What texts may say of a group, and the role of each person in it."""

    said: Mapping[str, Any]
    roles: Mapping[int, str]


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
    munchkin: str  # the subscription
    copies: Copies = field(default_factory=dict)  # changed in its version since it was published
    limits: CommunicationLimits = NO_COMMUNICATION_LIMITS
    """Of all journeys: how much mail is enough, and when it is quiet."""

    @classmethod
    def of(
        cls, row: Any, copies: Copies, limits: CommunicationLimits = NO_COMMUNICATION_LIMITS
    ) -> Self:
        """From a row that has all the columns; what they name has been loaded."""
        return cls(
            id=row["id"],
            journey_id=row["journey_id"],
            slug=row["slug"],
            version=row["version"],
            account_id=row["account_id"],
            entry=row["entry"],
            entered_at=row["entered_at"],
            epoch=row["epoch"],
            deadline=row["deadline"],
            plan_hash=row["plan_hash"],
            munchkin=row["munchkin"],
            copies=copies,
            limits=limits,
        )


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
    groups: Groups = field(default_factory=dict)  # as far as its mail speaks of them
    savepoints: bool = True  # each action under one, so that a bad write is an outcome
    waited: bool = False  # of messages that were held or put off, and are looked at by themselves

    @property
    def zones(self) -> Zones:
        """Whose clock counts for this account."""
        return self.loaded.zones(self.account.get(FIELD))

    def template(self, slug: str) -> CompiledTemplate:
        """The template a message is written with: the version's own, or the copy changed since."""
        copy = self.traversal.copies.get(slug)
        return copy.template if copy else self.loaded.template(slug)

    def is_marketing(self, template: str | None) -> bool:
        """Whether a message is mail that people may opt out of; one without a template is no mail of this kind."""
        return template is not None and not self.template(template).template.operational

    def copy_number(self, slug: str) -> int | None:
        """Which of the version's changed copies that is."""
        copy = self.traversal.copies.get(slug)
        return copy.number if copy else None

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
