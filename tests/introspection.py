"""What arrays of built-in types are, which asyncpg asks of the server with every connection anew.

The answer is the same in every database of one version, and a run of the tests opens thousands of connections:
it was a tenth of what their servers did.
"""

from typing import Any

import asyncpg

#: types of lower numbers are Postgres's own (FirstNormalObjectId)
FIRST_OF_USERS = 16384


def remember_built_in_types() -> None:
    """Ask once for each set of built-in types, in this process."""
    ask = asyncpg.Connection._introspect_types
    answers: dict[frozenset[int], Any] = {}

    async def introspect(self: Any, typeoids: Any, patience: Any) -> Any:
        asked = frozenset(typeoids)
        if max(asked) >= FIRST_OF_USERS:
            return await ask(self, typeoids, patience)
        if asked not in answers:
            answers[asked] = await ask(self, typeoids, patience)
        return answers[asked]

    asyncpg.Connection._introspect_types = introspect
