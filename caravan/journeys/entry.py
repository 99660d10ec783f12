"""Who may enter: the rules of ``admit`` and ``reentry``, applied to what is known of an account.

Pure: the stores say what an account's past is, and hold it still while this is asked.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from caravan.journeys.durations import Duration
from caravan.journeys.time import shift


class Admit(BaseModel):
    """``already_qualified`` False: not those who were in the audience when the journey began."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    already_qualified: bool = True
    per_day: int | None = None  # a day of the journey's zone, over all versions


class Reentry(BaseModel):
    """When an account may enter again; ``limit`` counts every entry, the first included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: Duration
    since: Literal["start", "end"]
    limit: int | None = None
    requalified: bool = False


class EntryRules(BaseModel):
    """The rules of one version, as they are kept with it."""

    model_config = ConfigDict(frozen=True)

    admit: Admit = Admit()
    reentry: Reentry | None = None
    zone: str = "UTC"

    @property
    def limit(self) -> int | None:
        """How often an account may enter; None: as often as it likes."""
        return 1 if self.reentry is None else self.reentry.limit


@dataclass(frozen=True)
class Past:
    """What is known of an account that asks to enter.

    Args:
        entries: how often it has entered, over all versions.
        entered_at: when it last did.
        ended_at: when its last traversal ended.
        qualified_at: since when it is in the audience.
        invited: another journey adds it; the audience has no say then.
    """

    entries: int = 0
    entered_at: datetime | None = None
    ended_at: datetime | None = None
    qualified_at: datetime | None = None
    invited: bool = False


@dataclass(frozen=True)
class Refused:
    """Why an account may not enter, in the words of the rule, and when it may ask again by itself."""

    rule: str
    opens_at: datetime | None = None


def refusal(rules: EntryRules, past: Past, began_at: datetime, at: datetime) -> Refused | None:
    """Why an account that is not inside may not enter; None where it may.

    Args:
        rules: of the version.
        past: of the account.
        began_at: when the version's audience was first looked at.
        at: domain time.
    """
    if rules.limit is not None and past.entries >= rules.limit:
        return Refused(f"{past.entries} of {rules.limit} entries used")
    if not past.invited and past.qualified_at is not None:
        since = f"in the audience since {past.qualified_at:%Y-%m-%d %H:%M:%S} UTC"
        if not rules.admit.already_qualified and past.qualified_at <= began_at:
            return Refused(f"already qualified: {since}, before the journey began")
        if (
            rules.reentry is not None
            and rules.reentry.requalified
            and past.entered_at is not None
            and past.qualified_at <= past.entered_at
        ):
            return Refused(f"not requalified: {since}, before it last entered")
    opens_at = opens(rules, past.entered_at, past.ended_at)
    if rules.reentry is not None and opens_at is not None and at < opens_at:
        wait = f"{rules.reentry.after} from {rules.reentry.since}"
        return Refused(f"{wait}: not before {opens_at:%Y-%m-%d %H:%M:%S} UTC", opens_at)
    return None


def opens(
    rules: EntryRules, entered_at: datetime | None, ended_at: datetime | None
) -> datetime | None:
    """When an account may enter again; None where nothing it did says so."""
    if rules.reentry is None:
        return None
    reference = entered_at if rules.reentry.since == "start" else ended_at
    return None if reference is None else shift(reference, rules.reentry.after, rules.zone)
