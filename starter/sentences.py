"""The one table from errors to sentences; what is not in it is a fault of ours and keeps its traceback."""

import os

import asyncpg
from temporalio.service import RPCError, RPCStatusCode

from caravan.ai.unanswered import NoModel, SwitchedOff, Unanswered
from caravan.database.errors import StoreError, StoreUnreachable
from caravan.journeys.life_cycle import Refused
from caravan.personas.embedding import TitlesUnread
from caravan.settings import FROM_STACK, SettingsError
from caravan.stack.processes import StackError
from starter.errors import BAD_INPUT, FAILED, UserError

#: tables, columns or functions that this version expects and the store has not
NOT_MIGRATED = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.InvalidSchemaNameError,
)
REFUSED = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidCatalogNameError,
)
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    ConnectionError,
    TimeoutError,
)

NO_ANSWER = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED)


def is_embedded() -> bool:
    """Whether nothing that a command reaches for was set: then it is the embedded stack's."""
    return not any(
        os.environ.get(name.upper() + suffix) for name in FROM_STACK for suffix in ("", "_FILE")
    )


def sentence(error: BaseException, embedded: bool) -> tuple[str, int] | None:
    """What to say of an error and the exit code, or None where it is no user's matter.

    Args:
        error: what a command ended with.
        embedded: whether the embedded stack provides what was not reached.
    """
    remedy = "; `caravan up` starts it" if embedded else ""
    match error:
        case ExceptionGroup():  # of things done side by side: the first is the reason of the others
            return sentence(error.exceptions[0], embedded)
        case UserError():
            return str(error), error.exit_code
        case Refused():
            return str(error), FAILED
        case NoModel() | SwitchedOff() | TitlesUnread():
            return str(error), BAD_INPUT
        case Unanswered():
            return str(error), FAILED
        case StoreUnreachable():
            return f"{error}{remedy}", FAILED
        case SettingsError() | StoreError() | StackError():
            return str(error), FAILED
        case RPCError() if error.status is RPCStatusCode.NOT_FOUND and "amespace" in str(error):
            return f"Temporal: {error} Set TEMPORAL_NAMESPACE to one that is there", FAILED
        case RPCError() if error.status in NO_ANSWER:
            return f"Temporal does not answer (setting TEMPORAL_ADDRESS){remedy}", FAILED
        case RPCError():
            return f"Temporal did not do it (setting TEMPORAL_ADDRESS): {error.message}", FAILED
        case OSError() if error.filename is not None:
            return f"{error.filename}: {error.strerror}", BAD_INPUT
    if isinstance(error, NOT_MIGRATED):
        return (
            f"The stores are not those of this version of Caravan ({error}): "
            "`caravan apply DIR` brings them up to date",
            FAILED,
        )
    if isinstance(error, REFUSED):
        return f"Postgres refuses us (settings PLATFORM_DSN, ENGAGE_DSN): {error}", FAILED
    if _ended_for_its_length(error):
        return (
            "The store ended a transaction that took too long: an import or another `--dry-run` may have held what it"
            " waited for, or it was of too much at once. Run it again when they are over, or with fewer files",
            FAILED,
        )
    if isinstance(error, LOST):
        if embedded:
            return "Postgres went away meanwhile; `caravan up` starts it, then run it again", FAILED
        why = str(error) or type(error).__name__
        where = "settings PLATFORM_DSN, ENGAGE_DSN"
        return f"Postgres went away meanwhile ({where}): {why}; run it again", FAILED
    if isinstance(error, asyncpg.RaiseError):  # a trigger of ours
        return f"The store refuses it: {error}", FAILED
    if isinstance(error, asyncpg.DataError):
        return f"The stores cannot hold what was given: {error}", BAD_INPUT
    if isinstance(error, asyncpg.InsufficientResourcesError):
        return f"Postgres has no room for it: {error}", FAILED
    if isinstance(error, OSError):
        return f"The system did not do it: {error.strerror or error}", FAILED
    return None


def _ended_for_its_length(error: BaseException) -> bool:
    """Whether the server ended the transaction; the driver tells it behind the connection that it lost."""
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, asyncpg.TransactionTimeoutError):
            return True
        behind = behind.__cause__ or behind.__context__
    return False
