"""What an import tells of a file: what became of its rows, and which of them were bad."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from caravan.platform.deletion import Settled
from caravan.platform.event_lines import EventRow
from caravan.platform.events import RecordedEvents
from caravan.platform.identity import Merged
from caravan.platform.source_files import BadRow

#: of so many merges an import tells each; the sandbox notes all
MATCHES_TOLD = 1000


@dataclass
class FileReport:
    """What became of one file's rows.

    Each good row is ``new``, ``changed`` or ``unchanged``: nothing came of it. By some of them records are ``deleted`` or
    have ``returned``, and some are ``merged``, besides.
    """

    file: str
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    returned: int = 0
    merged: int = 0
    matches: list[Merged] = field(default_factory=list)  # the first of them
    bad: list[BadRow] = field(default_factory=list)
    warnings: list[BadRow] = field(default_factory=list)

    def count(self, rows: int, new: int, touched: Collection[str]) -> None:
        """Count a page: how many rows, how many of them new, and those of which anything was written."""
        self.new += new
        self.changed += len(touched) - new
        self.unchanged += rows - len(touched)

    def add_settled(self, settled: Settled) -> None:
        self.deleted += len(settled.deleted)
        self.returned += len(settled.returned)

    def add_merged(self, merged: list[Merged]) -> None:
        self.merged += len(merged)
        self.matches += merged[: MATCHES_TOLD - len(self.matches)]

    def add_events(self, events: Sequence[EventRow], recorded: RecordedEvents) -> None:
        self.new += len(recorded.new)
        self.unchanged += recorded.repeated
        self.bad += [
            BadRow(self.file, events[place].line, why) for place, why in recorded.refused.items()
        ]
