"""A mail relay on loopback whose every word may go wrong, by a seed: a real SMTP server that knows what it took."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from email import message_from_bytes

#: what may go wrong at any word: nothing is said, it comes late, it is no answer, or the line goes dead behind it
ANYWHERE = ("drop", "silence", "slow", "garbage", "half", "drop after")
#: … and at each, the wrong codes
CODES = {
    "CONNECT": ("421 busy", "554 no mail here"),
    "EHLO": ("421 busy", "550 go away"),
    "MAIL": ("421 closing", "451 4.3.0 later", "354 out of turn", "503 5.5.1 sequence"),
    "RCPT": ("421 closing", "450 4.2.0 greylisted", "550 5.1.1 no such user", "354 out of turn"),
    "DATA": ("421 closing", "451 4.3.0 later", "554 5.7.1 no", "250 out of turn"),
    "CONTENT": (),  # the line goes dead in the middle of the message
    "DOT": ("421 closing", "451 4.3.0 later", "554 5.7.1 spam", "354 out of turn"),
    "RSET": ("421 closing", "500 what"),
}
SILENCE = 1.0  # seconds; then it hangs up


class _HungUp(ConnectionError):
    """We close the connection."""


class TroubledRelay:
    """``taken`` counts the Message-IDs that it took responsibility for; ``troubles`` what went wrong where."""

    def __init__(self, seed: int, share: float, on_word: Callable[[int, str], None]) -> None:
        """
        Args:
            seed: of all that goes wrong.
            share: of words that go wrong, while ``calm`` is false.
            on_word: called with the number and the phase of each word, before it is said.
        """
        self.taken: Counter[str] = Counter()
        self.troubles: Counter[tuple[str, str]] = Counter()
        self.calm = False
        self.greylists: set[str] = set()  # parts of addresses that it puts off once
        self.port = 0
        self._random = random.Random(seed)
        self._share = share
        self._on_word = on_word
        self._words = itertools.count(1)
        self._decks = {phase: self._deck(phase) for phase in CODES}
        self._greylisted: set[str] = set()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    def _deck(self, phase: str) -> Iterator[str]:
        """All troubles of a phase in some order, again and again: none is left out by chance."""
        all_of_them = ["drop"] if phase == "CONTENT" else [*ANYWHERE, *CODES[phase]]
        while True:
            self._random.shuffle(all_of_them)
            yield from all_of_them

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._writers):
                writer.close()
            await self._server.wait_closed()

    def trouble(self, phase: str) -> str | None:
        """What goes wrong here, if anything does."""
        self._on_word(next(self._words), phase)
        if self.calm or self._random.random() >= self._share:
            return None
        drawn = next(self._decks[phase])
        self.troubles[phase, drawn] += 1
        return drawn

    def put_off(self, line: str) -> str | None:
        """The part of this recipient's address for which it is put off, the first time."""
        recipient = line.partition("<")[2].partition(">")[0]
        if recipient in self._greylisted:
            return None
        self._greylisted.add(recipient)
        return next((part for part in self.greylists if part in recipient), None)

    def coin(self) -> bool:
        return self._random.random() < 0.5

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await _Dialogue(self, reader, writer).run()
        self._writers.discard(writer)
        writer.close()


class _Dialogue:
    def __init__(
        self, relay: TroubledRelay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._relay, self._reader, self._writer = relay, reader, writer

    async def run(self) -> None:
        await self.answer("CONNECT", "220 relay")
        while line := (await self._reader.readline()).decode(errors="replace").strip():
            verb = line.split()[0].upper()
            match verb:
                case "EHLO":
                    await self.answer("EHLO", "250-relay\r\n250 8BITMIME")
                case "DATA":
                    await self.data()
                case "QUIT":
                    await self.say("221 bye")
                    return
                case "RCPT" if listed := self._relay.put_off(line):
                    await self.say(f"450 4.2.0 {listed} is greylisted")
                case _:
                    await self.answer(verb, "250 ok")

    async def data(self) -> None:
        if not (await self.answer("DATA", "354 go on")).startswith("354"):
            return
        if self._relay.trouble("CONTENT") is not None:
            await self._reader.read(20)
            raise _HungUp
        content = await self._reader.readuntil(b"\r\n.\r\n")
        identity = message_from_bytes(content[:-3])["Message-ID"]
        trouble = self._relay.trouble("DOT")
        refused = trouble is not None and trouble[0] in "45"
        unsaid = trouble in ("drop", "silence", "garbage", "half") or trouble == "354 out of turn"
        # of what it never answers it may have the message or not: nobody can know
        if not refused and (not unsaid or self._relay.coin()):
            self._relay.taken[identity] += 1
        await self.utter(trouble, "250 queued")

    async def answer(self, phase: str, usual: str) -> str:
        return await self.utter(self._relay.trouble(phase), usual)

    async def utter(self, trouble: str | None, usual: str) -> str:
        """Say what is usual, or what has gone wrong with it; returns what was said."""
        match trouble:
            case "drop":
                raise _HungUp
            case "silence":
                await asyncio.sleep(SILENCE)
                raise _HungUp
            case "slow":
                await asyncio.sleep(0.3)
            case "half":
                self._writer.write(usual[:2].encode())
                await self._writer.drain()
                raise _HungUp
            case "garbage":
                return await self.say("\x00 banana \xff")
            case "drop after":
                await self.say(usual)
                raise _HungUp
            case str():
                return await self.say(trouble)
        return await self.say(usual)

    async def say(self, words: str) -> str:
        self._writer.write(words.encode() + b"\r\n")
        await self._writer.drain()
        if words.startswith("421"):
            raise _HungUp
        return words
