"""What crosses the wire: one model per message, every field with a default, unknown ones ignored.

Ids only. Conditions, content, names and outside ids never enter Temporal (account names can, as
titles for operators, and can be switched off). New fields need defaults: old histories lack them.
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from caravan.journeys.control import ControlPlan
from caravan.journeys.moving import Moved
from caravan.journeys.state import Ended, Outcome, State

JOURNEYS = "journeys"  # task queues
EMAIL = "email"
CALLS = "calls"
DECISIONS = "decisions"
STREAMS = "streams"

RUN_STRETCH = "engage.run_stretch"
SEND_EMAIL = "email.send"
CALL_SERVICE = "services.call"
DECIDE = "models.decide"
BUILD_SEGMENT = "audience.build_segment"
BRING_IN = "audience.bring_in"
ADMIT = "admission.drain"
FOLLOW_AUDIENCES = "audience.drain"
SYNC = "platform.drain"
DISPATCH = "events.drain"
RECONCILE = "reconciler.drain"
DELIVER = "delivery.drain"
KEEP_GROUPS = "buying_groups.drain"
RENEW_ENGAGEMENT = "buying_groups.renew_engagement"
QUESTION_GROUPS = "buying_groups.question_all"
FOLLOW_UPKEEP = "buying_groups.follow_upkeep"


class Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AccountJourneyInput(Wire):
    """Starts or continues the journey of one account."""

    munchkin: str = ""
    traversal_id: int = 0
    plan_hash: str = ""
    title: str = ""  # of the journey, and of the account where names are shown
    entered_at: datetime | None = None
    each_step: bool = False  # every step its own ordinary activity
    mail_first: bool = False  # the journey begins with mail: its activity serves what comes before
    continue_after: int | None = None  # outcomes after which a run continues as new
    state: State | None = None  # of a continued run
    control: ControlPlan | None = None
    hops: tuple[str, ...] = ()  # the last lines of the way, for the Web UI
    version: int | None = None  # the one the account has moved to since it entered


class Wake(Wire):
    """Something happened that the traversal's row knows about."""

    reason: str = ""


class ServedReply(Wire):
    """What serving a traversal came to, whoever served it."""

    outcomes: tuple[Outcome, ...] = ()
    ended: Ended | None = None
    control: ControlPlan | None = None
    """Where it was asked for, or the account has moved to another version."""
    more: bool = False  # there are more stored steps than one reply holds: ask again at once
    large: bool = False
    held_until: datetime | None = None  # paused: nothing begins before a wake-up, or this instant
    moved: Moved | None = None  # to another version: the outcomes follow from its state


class StretchRequest(Wire):
    munchkin: str = ""
    traversal_id: int = 0
    step_no: int = 1
    node: str = ""  # where the account stands, for logs
    as_of: datetime | None = None
    each_step: bool = False
    with_plan: bool = False


class StretchReply(ServedReply):
    """Of the stores."""


class OutsideRequest(Wire):
    """Of what leaves the stores: a relay, a service or a model is asked."""

    munchkin: str = ""
    traversal_id: int = 0
    step_no: int = 1
    node: str = ""
    as_of: datetime | None = None  # since when it is to be done
    go_on: bool = False  # serve the store-only commands that follow too


class SendRequest(OutsideRequest):
    """For a send; with ``go_on`` it serves the store-only commands before it too."""

    with_plan: bool = False


class SendReply(ServedReply):
    """Of a send."""


class CallRequest(OutsideRequest):
    """For a call; what follows is served where its answer is there already."""


class CallReply(ServedReply):
    """Of a call."""


class DecideRequest(OutsideRequest):
    """For a decision."""


class DecideReply(ServedReply):
    """Of a decision."""


class AdmissionInput(Wire):
    munchkin: str = ""
    journey_id: int = 0
    title: str = ""
    prepared: bool = False  # the segment is built and its accounts are in the engage store
    admitted: int = 0  # by the runs before this one
    continue_after: int | None = None
    """Activities after which a run continues as new; tests lower it."""


class AdmissionRequest(Wire):
    munchkin: str = ""
    journey_id: int = 0
    as_of: datetime | None = None


class AdmissionReply(Wire):
    accounts: int = 0
    people: int = 0
    over: bool = False  # the journey takes no more entries


class StreamInput(Wire):
    """A long-lived workflow around a draining activity of one subscription."""

    munchkin: str = ""
    drained: int = 0  # rows, by the runs before this one
    continue_after: int | None = None
    """Activities after which a run continues as new; tests lower it."""


class DrainRequest(Wire):
    munchkin: str = ""


class DrainReply(Wire):
    rows: int = 0
    waiting: int = 0
    lag_seconds: float = 0.0
    note: str = ""  # more to show of how it stands


class UpkeepInput(Wire):
    """The daily run over the buying groups of a subscription."""

    munchkin: str = ""


class UpkeepRequest(Wire):
    munchkin: str = ""
    as_of: datetime | None = None  # when the run began, of whose day its scale is
    accounts: int = 0  # that the run has asked for
    last: int = 0  # the newest of its questions


class UpkeepReply(Wire):
    rows: int = 0
    last: int = 0
    waiting: int = 0  # what is left to do
