"""The events of the language: whose they are, where they are born, and what may be asked of them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from caravan.journeys.fields import FieldType

Whose = Literal["account", "person"]


class Event(BaseModel):
    """One kind of event.

    ``names`` are arguments that take a plain name, ``tests`` those that take a test. One ``of_group`` is
    about a buying group, so it is of the account whose group that is and of no other the person belongs to.
    """

    model_config = ConfigDict(frozen=True)

    whose: Whose
    engage: bool = False  # born in the engage store: the Platform does not know it
    told: bool = False  # … unless a workspace has it told: ``activities_to_platform``
    of_group: bool = False
    names: tuple[str, ...] = ()
    tests: dict[str, FieldType] = {}


#: argument of events that automatic agents bring about too: `true` counts what those did
BOTS = "bots"
#: the field of an activity that says that nobody did it (product.md §5.10)
BOT = "bot"
#: what scanners of links and prefetchers of pictures do; see caravan/campaigns/bots.py
DONE_BY_BOTS = frozenset({"email_opened", "email_clicked"})

_MAIL = Event(whose="person", engage=True, told=True, names=("template",), tests={"link": "string"})
_READ = _MAIL.model_copy(update={"tests": {**_MAIL.tests, BOTS: "boolean"}})
_CHANGED = {"to": "string", "from": "string"}
_GROUP = Event(whose="account", engage=True, of_group=True, names=("solution_interest",))
_SCORE = _GROUP.model_copy(update={"tests": {"score": "number", "from": "number"}})
_MEMBER = _GROUP.model_copy(update={"whose": "person", "names": ("solution_interest", "role")})

EVENTS: dict[str, Event] = {
    "account_interesting_moment": Event(whose="account", engage=True, told=True, names=("type",)),
    "account_changed": Event(whose="account", engage=True, names=("field",), tests=_CHANGED),
    "opportunity_changed": Event(whose="account", engage=True, names=("field",), tests=_CHANGED),
    "email_sent": _MAIL,
    "email_delivered": _MAIL,
    "email_opened": _READ,
    "email_clicked": _READ,
    "email_bounced": _MAIL,
    "email_unsubscribed": _MAIL,
    "sms_clicked": Event(whose="person", engage=True, told=True, tests={"link": "string"}),
    "sms_bounced": Event(whose="person", engage=True, told=True),
    "page_visited": Event(whose="person", tests={"url": "string", "referrer": "string"}),
    "form_filled": Event(whose="person", names=("form",)),
    "event_registered": Event(whose="person", names=("event_name",)),
    "event_attended": Event(whose="person", names=("event_name",)),
    "person_changed": Event(whose="person", engage=True, names=("field",), tests=_CHANGED),
    "interesting_moment": Event(whose="person", engage=True, told=True, names=("type",)),
    "score_changed": Event(
        whose="person", engage=True, names=("score",), tests={"value": "integer"}
    ),
    "buying_group_stage_changed": _GROUP.model_copy(
        update={"names": ("solution_interest", "to", "from")}
    ),
    "buying_group_status_changed": _GROUP.model_copy(update={"tests": _CHANGED}),
    "buying_group_qualified": _GROUP,
    "completeness_changed": _SCORE,
    "engagement_changed": _SCORE,
    "added_to_buying_group": _MEMBER,
    "removed_from_buying_group": _MEMBER,
}  # fmt: skip

#: what people do or meet in the affairs of one account, whatever others they belong to
OF_ONE_ACCOUNT = frozenset(
    name for name, event in EVENTS.items() if event.of_group and event.whose == "person"
)

#: what the Platform may be told of as it happens in the engage store; never anything of buying groups
TOLD = frozenset(name for name, event in EVENTS.items() if event.told and not event.of_group)

#: any other type: ``event {type, where}``; whose it is, it says itself
GENERIC = "event"


def is_account_event(name: str) -> bool:
    """Whether an event is the account's own rather than one of its people's."""
    return name in EVENTS and EVENTS[name].whose == "account"
