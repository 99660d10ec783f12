"""The report of e-mails: what was sent, and what people did with it (product.md §9.3).

Counts are of messages. Delivered: the relay took it and it has not come back. Who clicked has opened it,
also where pictures are not loaded. Rates are None where there is nothing to divide by.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from caravan.engage import sql


@dataclass(frozen=True)
class EmailCounts:
    """Messages of one e-mail, or of all."""

    sent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    bounced: int = 0
    bounced_hard: int = 0
    unsubscribed: int = 0
    by_machine: int = 0  # opened or clicked by a known automatic agent, at least
    in_doubt: int = 0
    refused: int = 0
    waiting: int = 0
    skipped: int = 0

    @property
    def rates(self) -> dict[str, float | None]:
        """Shares, 0 to 1."""
        return {
            "delivery_rate": _share(self.delivered, self.sent),
            "open_rate": _share(self.opened, self.delivered),
            "click_rate": _share(self.clicked, self.delivered),
            "click_to_open_rate": _share(self.clicked, self.opened),
            "bounce_rate": _share(self.bounced, self.sent),
            "unsubscribe_rate": _share(self.unsubscribed, self.delivered),
        }


@dataclass(frozen=True)
class EmailRow:
    """One e-mail, with when the first was sent and when something last happened."""

    email: str
    counts: EmailCounts
    first_at: datetime | None
    last_at: datetime | None


async def emails(
    conn: Any,
    journeys: Sequence[str] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[EmailRow]:
    """The e-mails whose messages were claimed in a period, by name.

    Args:
        conn: a connection to the engage store.
        journeys: slugs, of all versions; None: of all journeys.
        start: included; None: from the first.
        end: not included; None: to the last.
    """
    rows = await sql.fetch(
        conn, "report_emails", slugs=journeys and list(journeys), **{"from": start, "to": end}
    )
    return [
        EmailRow(row["template"], _counts(row), row["first_at"], row["last_at"]) for row in rows
    ]


def together(rows: Iterable[EmailRow]) -> EmailCounts:
    """All of them in one."""
    counts = [asdict(row.counts) for row in rows]
    return EmailCounts(**{name: sum(one[name] for one in counts) for name in _NAMES})


def _counts(row: Mapping[str, Any]) -> EmailCounts:
    return EmailCounts(**{name: row[name] for name in _NAMES})


_NAMES = tuple(field.name for field in fields(EmailCounts))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
