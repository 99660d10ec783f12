"""Something that happened, about to be recorded as an activity."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from caravan.journeys.events import OF_ONE_ACCOUNT


@dataclass(frozen=True)
class Happening:
    """What an activity says, by the names of its columns; ``external_id`` makes recording it twice harmless.

    One that names both an account and a person is the person's; the account says in whose affairs it
    happened, for events that are one account's alone (``added_to_buying_group``).
    """

    type: str
    at: datetime
    account_id: int | None = None
    person_id: int | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    external_id: str | None = None

    @property
    def of_account_alone(self) -> bool:
        """Whether it is no news to the person's other accounts."""
        return self.type in OF_ONE_ACCOUNT
