"""How the gateway says no: the contract's ``Error``, and nothing of what went wrong inside."""

import functools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Endpoint = Callable[[Request], Awaitable[Response]]

log = structlog.get_logger("caravan.gateway")

_CODES = {404: "RESOURCE_NOT_FOUND", 405: "INVALID_REQUEST"}


class Refusal(Exception):
    """A request that is not served; ``guarded`` says so to whoever sent it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def refusal(request: Request, status: int, code: str, message: str) -> Response:
    """An ``Error`` of the contract."""
    said = {
        "status": "error",
        "code": code,
        "message": message,
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    request_id = request.headers.get("x-request-id")
    if request_id is not None and request_id.isprintable() and len(request_id) <= 200:
        said["requestId"] = request_id
    return JSONResponse(said, status_code=status)


async def no_such_thing(request: Request, error: Exception) -> Response:
    """An address or a method that is none of ours."""
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "INVALID_REQUEST")
    return refusal(request, error.status_code, code, error.detail)


def guarded(endpoint: Endpoint) -> Endpoint:
    """What goes wrong inside is to be said again later.

    Its type alone is noted, for its message may quote what was sent.
    """

    @functools.wraps(endpoint)
    async def answering(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refusal as no:
            return refusal(request, no.status, no.code, no.message)
        except Exception as error:
            log.warning("a request failed", error=type(error).__name__)
            return refusal(
                request, 503, "INTERNAL_ERROR", "it was not recorded; send it again later"
            )

    return answering
