"""A connection that walks one account after the other, and on which the end of a transaction begins the next."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from caravan.database.one_connection import OneConnection


class Lane(OneConnection):
    """Stands in the place of a pool, and of the connection that is borrowed from it.

    To borrow one from a pool for each of an account's transactions would cost more than they do. And a
    transaction is a few small statements, so that to say in one that it ends and the next one begins saves a
    twelfth of a simulation's round trips. Between transactions nothing is locked and nothing is held in view.
    """

    def __init__(self, conn: Any) -> None:
        super().__init__(conn)
        self._chained = False  # in a transaction of ours, in which nobody is yet

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["Lane"]:
        yield self

    @asynccontextmanager
    async def chained(self) -> AsyncIterator[None]:
        """While this lasts, transactions are links of a chain; only one task may use the lane."""
        async with self._conn.transaction():
            self._chained = True
            try:
                yield
            finally:
                self._chained = False

    def transaction(self, **options: Any) -> AbstractAsyncContextManager[Any]:
        """A link of the chain; within one, or where there is no chain, what the connection makes of it."""
        return self._link() if self._chained else super().transaction(**options)

    @asynccontextmanager
    async def _link(self) -> AsyncIterator[None]:
        self._chained = False
        try:
            yield
        except BaseException:
            await self.execute("rollback and chain")
            raise
        else:
            await self.execute("commit and chain")
        finally:
            self._chained = True
