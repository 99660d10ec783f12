"""A journey's ``admit:`` and ``reentry:``."""

from typing import Literal

from caravan.journeys.entry import Admit, Reentry
from caravan.journeys.reading import Fields


def read_admit(fields: Fields) -> Admit | None:
    """The key ``admit``; the defaults where it is absent."""
    inner = fields.inner("admit")
    already = inner.boolean("already_qualified", default=True)
    per_day = inner.count("per_day", 1) if inner.has("per_day") else None
    if not inner.finish():
        fields.fine = False
        return None
    return Admit(already_qualified=already, per_day=per_day)


def read_reentry(fields: Fields) -> Reentry | None:
    """The key ``reentry``; None where it is absent, or wrong."""
    if not fields.has("reentry"):
        return None
    inner = fields.inner("reentry")
    if inner.fine:
        inner.required("after")
        inner.required("from")
    after, since = inner.duration("after"), _read_since(inner)
    limit = inner.count("limit", 1) if inner.has("limit") else None
    requires = inner.given("requires")
    if requires not in (None, "requalified"):
        inner.problem("bad-value", "requires", "requires takes requalified")
    if not inner.finish() or after is None or since is None:
        fields.fine = False
        return None
    return Reentry(after=after, since=since, limit=limit, requalified=requires is not None)


def _read_since(fields: Fields) -> Literal["start", "end"] | None:
    match fields.given("from"):
        case None:
            return None
        case "start":
            return "start"
        case "end":
            return "end"
    fields.problem("bad-value", "from", "from takes start or end")
    return None
