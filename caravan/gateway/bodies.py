"""Reading a request's body: whole, in time, and no larger than it may be."""

import asyncio

from starlette.requests import ClientDisconnect, Request

from caravan.gateway.errors import Refusal


async def whole_body(request: Request, what: str, *, largest: int, longest: float) -> bytes:
    """The body.

    Args:
        request: whose it is.
        what: what the body is, to tell who sent it.
        largest: bytes it may have.
        longest: seconds it may take to come.

    Raises:
        Refusal: it is too large, too slow, or cut off.
    """
    content = bytearray()
    try:
        async with asyncio.timeout(longest):
            async for chunk in request.stream():
                content += chunk
                if len(content) > largest:
                    raise Refusal(413, "INVALID_REQUEST", f"{what} has at most {largest} bytes")
    except TimeoutError:
        raise Refusal(408, "TIMEOUT", f"{what} took too long to come") from None
    except ClientDisconnect:
        raise Refusal(400, "INVALID_REQUEST", f"{what} did not come whole") from None
    return bytes(content)
