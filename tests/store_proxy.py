"""A way to Postgres that can be cut or slow, for one store while the other is well."""

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit


class StoreProxy:
    """Forwards a socket of its own to the server of ``dsn``; ``self.dsn`` leads through it."""

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self._name = f".s.PGSQL.{asked.get('port', parts.port or 5432)}"
        self._server_folder = Path(asked["host"])
        self._folder = tempfile.TemporaryDirectory(prefix="pg")  # short: paths of sockets are
        asked["host"] = self._folder.name
        self.dsn = urlunsplit(parts._replace(query=urlencode(asked)))
        self.delay = 0.0  # seconds that each packet takes
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Let connections through."""
        self._server = await asyncio.start_unix_server(
            self._serve, Path(self._folder.name) / self._name
        )

    async def cut(self) -> None:
        """Nobody is there any more, in the middle of whatever is said."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        (Path(self._folder.name) / self._name).unlink(missing_ok=True)

    async def close(self) -> None:
        await self.cut()
        self._folder.cleanup()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_unix_connection(self._server_folder / self._name)
        self._writers |= {writer, there[1]}
        await asyncio.gather(self._copy(reader, there[1]), self._copy(there[0], writer))
        self._writers -= {writer, there[1]}

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(data)
                await writer.drain()
        writer.close()
