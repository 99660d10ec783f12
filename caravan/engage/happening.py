"""Something that happened, about to be recorded as an activity."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Happening:
    """``external_id`` makes recording it twice harmless.

    One that names both an account and a person is the person's; the account says in whose affairs it
    happened, for events that are one account's alone (``added_to_buying_group``).
    """

    type: str
    at: datetime
    account_id: int | None = None
    person_id: int | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    external_id: str | None = None
