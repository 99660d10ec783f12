"""Storing the personas of a workspace, and reading at once what titles they leave to be read."""

from collections.abc import Sequence
from datetime import UTC, datetime

from caravan.database.pool import Pool
from caravan.journeys.documents import PersonaDocument
from caravan.personas.embedding import TitlesUnread
from caravan.platform import personas
from starter.embedder import embedder
from starter.output import say
from starter.progress import bar, count


async def tell_personas(platform: Pool, documents: Sequence[PersonaDocument]) -> None:
    """Store them and have everybody told apart by them; where titles cannot be read, say so and go on."""
    reader, at = embedder(), datetime.now(UTC)
    try:
        await personas.store(platform, documents, reader, at)
        with bar("people") as progress:
            moved = count(progress)
            await personas.read_all(
                platform, reader, at, lambda waiting: moved("job titles to read", waiting)
            )
    except TitlesUnread as error:
        say(f"{error}; nobody gets another persona until a worker or an import reads them")
