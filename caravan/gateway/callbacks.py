"""``POST /submitExternalAction/callback``: a service answers.

The token is looked up before the body is read, the answer is recorded before the service is told so,
and saying it again changes nothing. What the contract asks of headers besides the token belongs to the
system it was written for; it is taken and not asked for.
"""

from collections.abc import Callable
from datetime import datetime

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from caravan.campaigns import callbacks
from caravan.campaigns.callbacks import Call, Taken
from caravan.gateway.bodies import whole_body
from caravan.gateway.errors import refusal
from caravan.gateway.subscriptions import Subscriptions
from caravan.services.errors import BadCallback
from caravan.services.tokens import subscription_of

#: bytes of a callback, and seconds for all of them to come
LARGEST = 1_000_000
LONGEST = 20.0
LONGEST_TOKEN = 200

log = structlog.get_logger("caravan.gateway")


class CallbackEndpoint:
    """Takes callbacks of all subscriptions."""

    def __init__(self, subscriptions: Subscriptions, now: Callable[[], datetime]) -> None:
        self._subscriptions = subscriptions
        self._now = now

    async def take(self, request: Request) -> Response:
        token = request.headers.get("x-callback-token", "")
        munchkin = subscription_of(token) if len(token) <= LONGEST_TOKEN else None
        if munchkin is None:
            return refusal(request, 401, "UNAUTHORIZED", "X-Callback-Token is missing or unknown")
        pool = await self._subscriptions.engage(munchkin)
        call = await callbacks.find(pool, token) if pool is not None else None
        if pool is None or call is None:
            return refusal(request, 401, "UNAUTHORIZED", "X-Callback-Token is missing or unknown")
        content = await whole_body(request, "the callback", largest=LARGEST, longest=LONGEST)
        try:
            taken = await callbacks.take(pool, call, content, self._now())
        except BadCallback as error:
            return refusal(request, 400, "VALIDATION_ERROR", str(error))
        return _told(call, taken)


def _told(call: Call, taken: Taken) -> Response:
    """Everything that was understood is a success: a service is not to send it again."""
    log.info("callback", call=call.id, traversal=call.traversal_id, taken=taken.value)
    return JSONResponse({"status": taken.value})
