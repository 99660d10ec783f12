"""A relay that takes everything and answers a message 50 ms after its last dot: ``python -m benchmarks.mail_sink``.

A process of its own, whose work is not that of who sends. Prints the port it listens on; ends with its parent.
"""

import asyncio
import sys

ANSWERS_AFTER = 0.05
_SHORT = {
    b"EHLO": b"250-sink\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
    b"HELO": b"250 sink\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


class Sink(asyncio.Protocol):
    """One connection: lines until DATA, a message until its dot."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._rest = b""
        self._message = False
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while True:
            end = b"\r\n.\r\n" if self._message else b"\r\n"
            part, found, rest = self._rest.partition(end)
            if not found:
                return
            self._rest = rest
            if self._message:
                self._message = False
                asyncio.get_running_loop().call_later(
                    ANSWERS_AFTER, self._transport.write, b"250 taken\r\n"
                )
                continue
            verb = part[:4].upper()
            self._message = verb == b"DATA"
            self._transport.write(_SHORT.get(verb, b"250 ok\r\n"))
            if verb == b"QUIT":
                self._transport.close()


async def serve() -> None:
    """Listen on loopback until our input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
