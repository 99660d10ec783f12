"""The one table from our errors to what Temporal is told: type, retry or not, noise or not.

Failures are recorded in histories and shown in the Web UI, so what a person or account is called must
not get there. Messages of the table are our own words, with e-mail addresses struck out (relays
repeat them in their replies). Of an error that is not in the table only type and place are told,
for a driver's message quotes the values it stumbled over.
"""

import functools
import re
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import asyncpg
import structlog
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.service import RPCError

from caravan.campaigns.deciding import NotDecidedYet
from caravan.database.errors import NotOurs, StoreRestored, StoreUnreachable
from caravan.delivery.errors import RelayUnreachable
from caravan.journeys.core import StepsDisagree
from caravan.services.errors import ServiceError

P = ParamSpec("P")
R = TypeVar("R")

log = structlog.get_logger("caravan.activities")

#: error → (non-retryable, expected noise)
TABLE: dict[type[Exception], tuple[bool, bool]] = {
    StoreUnreachable: (False, True),
    OSError: (False, True),  # sockets: refused, reset, timed out, not there
    asyncpg.PostgresConnectionError: (False, True),
    asyncpg.CannotConnectNowError: (False, True),
    asyncpg.AdminShutdownError: (False, True),
    asyncpg.CrashShutdownError: (False, True),
    asyncpg.TooManyConnectionsError: (False, True),
    asyncpg.DeadlockDetectedError: (False, True),
    asyncpg.SerializationError: (False, True),
    asyncpg.InterfaceError: (False, True),
    asyncpg.InternalClientError: (False, True),  # a connection that broke in the middle of a reply
    RPCError: (False, True),
    RelayUnreachable: (False, True),
    ServiceError: (False, True),
    NotDecidedYet: (False, True),  # a model that is away or busy
    NotOurs: (True, False),
    StoreRestored: (False, True),  # until somebody has told us so
    StepsDisagree: (True, False),
}

LONGEST = 500
ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")
ROOT = Path(__file__).resolve().parents[1]

#: noise is worth one log line per kind and span, not one per waiting account
QUIET_FOR = 10.0
_said: dict[str, float] = {}


def told(run: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Tell Temporal of our errors by the table.

    What the table does not know is retried under its own name: an unforeseen error is a bug to mend
    while the account waits, never a reason to expel it.
    """

    @functools.wraps(run)
    async def telling(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await run(*args, **kwargs)
        except ApplicationError:
            raise
        except tuple(TABLE) as error:
            final, noise = next(v for k, v in TABLE.items() if isinstance(error, k))
            message = _struck_out(error)
            if noise:
                _mention(type(error).__name__, message)
            raise ApplicationError(
                message,
                type=type(error).__name__,
                non_retryable=final,
                next_retry_delay=getattr(error, "retry_after", None),
                category=ApplicationErrorCategory.BENIGN
                if noise
                else ApplicationErrorCategory.UNSPECIFIED,
            ) from None
        except Exception as error:
            place = place_of(error)
            log.error("unforeseen error", error=type(error).__name__, place=place)
            raise ApplicationError(f"unforeseen, at {place}", type=type(error).__name__) from None

    return telling


def in_our_words(error: Exception) -> str:
    """An error as it may be kept and shown: by the table its message, else only its type and place."""
    told_as = f"{type(error).__name__}: "
    if isinstance(error, (ApplicationError, *TABLE)):
        return told_as + _struck_out(error)
    return f"{told_as}unforeseen, at {place_of(error)}"


def _struck_out(error: Exception) -> str:
    return ADDRESS.sub("(address)", str(error))[:LONGEST]


def place_of(error: Exception) -> str:
    """Where an error came from, by the last frames of ours, and its SQL state where it has one."""
    state = getattr(error, "sqlstate", None)
    ours = [
        f"{Path(frame.filename).relative_to(ROOT)}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(ROOT) and "site-packages" not in frame.filename
    ]
    return " > ".join(ours[-4:])[:LONGEST] + (f" (SQL state {state})" if state else "")


def _mention(kind: str, message: str) -> None:
    now = time.monotonic()
    if now - _said.get(kind, -QUIET_FOR) >= QUIET_FOR:
        _said[kind] = now
        log.warning("waits and tries again", error=kind, message=message)
