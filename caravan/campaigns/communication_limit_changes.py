"""What applying a workspace would change of the communication limits in force. Nothing is written to find out."""

from collections.abc import Iterator, Mapping
from typing import Any

from caravan.buying_groups.planning import CHANGED, GONE, NEW, Change
from caravan.engage import communication_limits
from caravan.journeys.documents.communication_limits import CommunicationLimitsDocument, Limit
from caravan.journeys.quiet_hours import QuietHours

KIND = "communication_limits"
Documents = Mapping[str, CommunicationLimitsDocument]


async def changes(conn: Any, documents: Documents) -> list[Change]:
    """What is new, changed and gone, against what is in force."""
    return compared(await communication_limits.stored_documents(conn), documents)


def compared(olds: Documents, documents: Documents) -> list[Change]:
    """The same, of two sets of documents."""
    found = []
    for slug, new in sorted(documents.items()):
        old = olds.get(slug)
        if old is None:
            found.append(Change(KIND, slug, NEW))
        elif old != new:
            found.append(Change(KIND, slug, CHANGED, tuple(_differences(old, new))))
    gone = sorted(olds.keys() - documents.keys())
    return found + [Change(KIND, slug, GONE, ("nothing of it holds any more",)) for slug in gone]


def _differences(
    old: CommunicationLimitsDocument, new: CommunicationLimitsDocument
) -> Iterator[str]:
    if old.zone != new.zone:
        yield f"periods are those of {new.zone} (was {old.zone}), counted anew"
    before, after = _by_what(old.limits), _by_what(new.limits)
    for what, limit in after.items():
        if what not in before:
            yield f"{limit} is new"
        elif before[what].at_most != limit.at_most:
            yield f"{limit} (was {before[what].at_most})"
    yield from (f"{limit} is gone" for what, limit in before.items() if what not in after)
    for quiet in new.quiet_hours:
        if quiet not in old.quiet_hours:
            yield f"{_quiet(quiet)} is new"
    for quiet in old.quiet_hours:
        if quiet not in new.quiet_hours:
            yield f"{_quiet(quiet)} is gone"


def _by_what(limits_: tuple[Limit, ...]) -> dict[str, Limit]:
    return {limit.counted: limit for limit in limits_}


def _quiet(quiet: QuietHours) -> str:
    days = f" on {', '.join(quiet.weekdays)}" if quiet.weekdays else ""
    return f"quiet from {quiet.begins} to {quiet.ends}{days} ({quiet.zone}, {quiet.otherwise})"
