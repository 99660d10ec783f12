"""Every reason why an account left a journey, and why something was not done for it or for somebody.

They stand in the stores, in histories, traces and documents, so none ever changes its spelling. Who reads one takes any
text: an older worker may meet a reason of a newer one.
"""

from enum import StrEnum


class ExitReason(StrEnum):
    """Why an account left a journey (language.md, Trace, ``exit``)."""

    COMPLETED = "completed"  # it came to an end that the journey has; its label says to which
    EXIT = "exit"  # it met the condition of one of the journey's exits
    REMOVED = "removed"  # another journey, an operator or a new version took it out
    ABORTED = "aborted"  # the journey was aborted
    TIMEOUT = "timeout"  # a listen heard nothing in time and names no way on
    NO_PATH = "no-path"  # it fits no path of a split that has no ``otherwise``
    END_DATE = "end-date"  # the journey's end date came, and the grace behind it was over
    MAX_VISITS = "max-visits"  # it came to a node once too often, and the node names no way on
    FAILED = "failed"  # a service failed or gave no answer in time, and the call names no way on
    ACCOUNT_DELETED = "account-deleted"  # the Platform has the account no more
    ACCOUNT_MERGED = "account-merged"  # another account stands for it


class SkipReason(StrEnum):
    """Why the ledger has an effect as not done (language.md, Actions; of messages product.md §5.6)."""

    # nobody is there
    PERSON_DELETED = "person-deleted"  # the Platform has the person no more
    PERSON_MERGED = "person-merged"  # another record stands for the person: that one is written to
    ACCOUNT_DELETED = "account-deleted"  # the account whose journey it is of is there no more
    ACCOUNT_MERGED = "account-merged"  # another account stands for it

    # they cannot or must not be written to
    NO_ADDRESS = "no-address"  # no mail address, or no mobile number for texts
    INVALID_ADDRESS = "invalid-address"  # it is none, or nothing arrives there
    NOT_ALLOWED_RECIPIENT = "not-allowed-recipient"  # a trial writes to a few, not to them
    BLOCKED = "blocked"  # the address or its domain is suppressed as blocked or for a complaint
    SUSPENDED = "suspended"  # no marketing to them for as long as that stands
    UNSUBSCRIBED = "unsubscribed"  # they opted out of marketing mail
    NO_CONSENT = "no-consent"  # they refused mail; they have not agreed to texts

    # not now, or not once more
    QUIET_HOURS = "quiet-hours"  # it is quiet where they are, and what would come then is dropped
    DUPLICATE_ADDRESS = "duplicate-address"  # somebody else with that address gets it
    LIMIT_PERSON = "limit-person"  # the person has had as many messages as a limit allows
    LIMIT_ACCOUNT = "limit-account"  # the account has
    LIMIT_BUYING_GROUP = "limit-buying-group"  # a buying group that they are in has

    # it is so already, or there is nothing to do it to
    UNCHANGED = "unchanged"  # it has that value already
    ALREADY_MEMBER = "already-member"  # it is in the list, the group's role or the journey already
    NOT_MEMBER = "not-member"  # it is not in the list or the group
    NOT_INSIDE = "not-inside"  # the account is not inside that journey
    NOT_OF_ACCOUNT = "not-of-account"  # the person left the account meanwhile
    NO_BUYING_GROUP = "no-buying-group"  # the account has none for the solution interest
    NO_OPPORTUNITY = "no-opportunity"  # the account has none that fits

    # something forbids it
    JOURNEY_NOT_LIVE = "journey-not-live"  # that journey takes nobody in, or this one has ended
    NOT_ALLOWED_TRANSITION = "not-allowed-transition"  # the stage model leads no such way
    MANUAL_MEMBER = "manual-member"  # a user had a say in it, who stands above journeys
    BAD_VALUE = "bad-value"  # the Liquid or the value does not fit this data

    # language.md does not name these: of calls, of mail that waits or is in doubt, and of jobs
    TIMEOUT = "timeout"  # of a call: no answer in time
    FAILED = "failed"  # of a call: it was not asked in time, or its answer cannot be used
    EXPIRED = "expired"  # a message waited too long; refused where the relay had put it off
    NOT_SENT = "not-sent"  # a message in doubt is refused: a person says that it was not sent
    ERASED = "erased"  # a message on its way out has to ask again: who it is for was erased
    JOURNEY_MEMBER = "journey-member"  # a journey had a say in it, which stands above jobs
