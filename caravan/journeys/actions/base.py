"""What all actions share: whom they act on, and how one is read from a document."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from caravan.journeys.conditions.model import Condition
from caravan.journeys.reading import Fields, JourneyScope

Carrier = Literal["mail", "text"]

#: keys that tell an action from others of its kind, as documents write them
ABOUT = (
    "template", "field", "list", "journey", "campaign", "score", "solution_interest", "role", "stage",
)  # fmt: skip


class BaseAction(BaseModel, ABC):
    """An action on the account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    context: ClassVar[Literal["account", "person"]] = "account"
    #: who takes what it sends out of the system, which is an activity of its own; None: it sends nothing
    carrier: ClassVar[Carrier | None] = None

    @property
    def sends(self) -> bool:
        return self.carrier is not None

    @property
    def about(self) -> dict[str, str]:
        """What it is about: its template, its field, its list …"""
        return {key: getattr(self, key) for key in ABOUT if key in type(self).model_fields}

    @classmethod
    @abstractmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        """The values of its own keys in a document; what is wrong with them is reported."""


class PeopleAction(BaseAction):
    """An action on each of the node's people who pass ``who``, or on the most engaged of them."""

    context = "person"

    who: Condition | None = None
    # left out of plans that do not say it, which so keep their names
    top: int | None = Field(default=None, exclude_if=lambda top: top is None)
