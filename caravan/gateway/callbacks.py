"""``POST /submitExternalAction/callback``: a service answers.

The token is looked up before the body is read, the answer is recorded before the service is told so,
and saying it again changes nothing. What the contract asks of headers besides the token belongs to the
system it was written for; it is taken and not asked for.
"""

import asyncio
import time
from datetime import UTC, datetime

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from caravan.campaigns import callbacks
from caravan.campaigns.callbacks import Call, Taken
from caravan.gateway.errors import refusal
from caravan.platform.sandboxes import pairings
from caravan.services.errors import BadCallback
from caravan.services.tokens import subscription_of
from caravan.stores import Stores

#: bytes of a callback, and seconds for all of them to come
LARGEST = 1_000_000
LONGEST = 20.0
LONGEST_TOKEN = 200
#: seconds between two looks for a subscription that we do not know
LOOK_AGAIN = 2.0

log = structlog.get_logger("caravan.gateway")


class TooSoon(Exception):
    """A subscription we do not know, and may not look for again yet."""


class TooLarge(Exception):
    """The body is larger than a callback may be."""


class CallbackEndpoint:
    """Takes callbacks of all subscriptions."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._known: frozenset[str] = frozenset()
        self._looked_at = -LOOK_AGAIN
        self._looking = asyncio.Lock()

    async def take(self, request: Request) -> Response:
        token = request.headers.get("x-callback-token", "")
        munchkin = subscription_of(token) if len(token) <= LONGEST_TOKEN else None
        if munchkin is None:
            return refusal(request, 401, "UNAUTHORIZED", "X-Callback-Token is missing or unknown")
        try:
            if not await self._serves(munchkin):
                return refusal(
                    request, 401, "UNAUTHORIZED", "X-Callback-Token is missing or unknown"
                )
        except TooSoon:
            return refusal(request, 503, "RATE_LIMITED", "send it again in a few seconds")
        pool = await self._stores.engage(munchkin)
        call = await callbacks.find(pool, token)
        if call is None:
            return refusal(request, 401, "UNAUTHORIZED", "X-Callback-Token is missing or unknown")
        try:
            content = await _body(request)
        except TooLarge:
            return refusal(
                request, 413, "INVALID_REQUEST", f"a callback has at most {LARGEST} bytes"
            )
        except TimeoutError:
            return refusal(request, 408, "TIMEOUT", "the callback took too long to come")
        except ClientDisconnect:
            return refusal(request, 400, "INVALID_REQUEST", "the callback did not come whole")
        try:
            taken = await callbacks.take(pool, call, content, datetime.now(UTC))
        except BadCallback as error:
            return refusal(request, 400, "VALIDATION_ERROR", str(error))
        return _told(call, taken)

    async def _serves(self, munchkin: str) -> bool:
        """Whether there is such a subscription; strangers cannot make us ask the store all the time.

        Raises:
            TooSoon: it was not there a moment ago; whether it is now we shall know in a few seconds.
        """
        if munchkin in self._known:
            return True
        async with self._looking:
            if munchkin in self._known:
                return True
            if time.monotonic() - self._looked_at < LOOK_AGAIN:
                raise TooSoon
            rows = await pairings(self._stores.platform_dsn)
            self._looked_at = time.monotonic()
            self._known = frozenset(row["munchkin"] for row in rows)
        return munchkin in self._known


def _told(call: Call, taken: Taken) -> Response:
    """Everything that was understood is a success: a service is not to send it again."""
    log.info("callback", call=call.id, traversal=call.traversal_id, taken=taken.value)
    return JSONResponse({"status": taken.value})


async def _body(request: Request) -> bytes:
    """The body, whole.

    Raises:
        TooLarge, TimeoutError, ClientDisconnect: it is too large, too slow, or cut off.
    """
    content = bytearray()
    async with asyncio.timeout(LONGEST):
        async for chunk in request.stream():
            content += chunk
            if len(content) > LARGEST:
                raise TooLarge
    return bytes(content)
