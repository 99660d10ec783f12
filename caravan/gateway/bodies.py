"""Reading a request's body: whole, in time, and no larger than it may be."""

import asyncio

from starlette.requests import Request


class TooLarge(Exception):
    """The body is larger than it may be."""


async def whole_body(request: Request, *, largest: int, longest: float) -> bytes:
    """The body.

    Args:
        request: whose it is.
        largest: bytes it may have.
        longest: seconds it may take to come.

    Raises:
        TooLarge, TimeoutError, ClientDisconnect: it is too large, too slow, or cut off.
    """
    content = bytearray()
    async with asyncio.timeout(longest):
        async for chunk in request.stream():
            content += chunk
            if len(content) > largest:
                raise TooLarge
    return bytes(content)
