"""Personas in the Platform: what a title came to is kept by title, and a person has the persona of their title.

A title is read once, whoever bears it: its vector is kept, and when personas change it is compared anew and not read.
That a person has the persona of their title is a trigger's rule (migration 0011), so it holds whoever writes people;
whose title nobody has read yet is **in question**, and has no persona until somebody reads it. Nothing waits for that.

Who is in question, and what is still to be compared, is written down with what caused it: any process goes on with it,
and two at once do no harm.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from caravan.database.outbox import nudge
from caravan.journeys.documents.persona import PersonaDocument
from caravan.personas.embedding import Embedder, TitlesUnread, Vector
from caravan.personas.matching import Likeness, Match, match
from caravan.personas.titles import folded
from caravan.platform import sql

#: titles read in one piece: less than a second of one core
TITLES = 32
#: people in question whose titles are looked for at once
PEOPLE = 1000
#: people who get their persona in one transaction
SETTLED = 5000
#: titles that are compared with changed personas in one transaction
COMPARED = 2000

#: told how many people are still in question
Follow = Callable[[int], None]


async def store(
    pool: Any, documents: Sequence[PersonaDocument], embedder: Embedder, at: datetime
) -> bool:
    """Store the personas of a workspace; whether they are others than before.

    What follows from it is left to ``read_page``, by whoever calls that next.

    Args:
        pool: of the sandbox.
        documents: in their order.
        embedder: reads their examples.
        at: domain time.

    Raises:
        TitlesUnread: nothing can be read here; those of before stay.
    """
    kept = await sql.fetch(pool, "personas")
    if not documents and not kept:
        return False
    wanted = [(one.persona, list(one.likenesses)) for one in documents]
    if wanted and wanted == [(row["slug"], row["likenesses"]) for row in kept]:
        try:
            if {row["model"] for row in kept} == {embedder.model}:
                return False
        except TitlesUnread:
            return False  # another machine has read them
    model = embedder.model if documents else None
    texts = [folded(text) for one in documents for text in one.likenesses]
    vectors = await embedder.vectors(texts) if texts else {}
    async with pool.acquire() as conn, conn.transaction():
        await sql.execute(conn, "one_writer")
        await sql.execute(conn, "forget_personas")
        await sql.execute(conn, "forget_titles", model=model)
        for place, one in enumerate(documents):
            await sql.execute(
                conn,
                "store_persona",
                slug=one.persona,
                place=place,
                likenesses=list(one.likenesses),
                vectors=[vectors[folded(text)] for text in one.likenesses],
                model=model,
            )
        await sql.execute(conn, "question_people_amiss")
        await nudge(conn)
    return True


@dataclass(frozen=True)
class ReadAhead:
    """Titles that were read before anybody who bears them is written; noted with those who are."""

    model: str = ""
    folded: Mapping[str, str] = field(default_factory=dict)  # by the title as it was given
    vectors: Mapping[str, Vector] = field(default_factory=dict)  # by the folded title

    async def note(self, conn: Any, titles: Iterable[str]) -> None:
        """Note what these came to, in a transaction that holds ``one_writer`` and writes who bears them next."""
        wanted = {self.folded[title] for title in titles if title in self.folded}
        await _note(conn, self.model, {title: self.vectors[title] for title in sorted(wanted)})


async def read_ahead(pool: Any, embedder: Embedder, titles: Sequence[str]) -> ReadAhead:
    """Read titles before their people are written, who then have their persona from the first.

    Raises:
        TitlesUnread: nothing can be read here; their people will be in question.
    """
    rows = await sql.fetch(pool, "titles_unread", titles=titles)
    if not rows:
        return ReadAhead()
    folded = {row["title"]: row["folded"] for row in rows}
    unread = sorted(set(folded.values()))
    return ReadAhead(embedder.model, folded, await embedder.vectors(unread))


async def read_page(pool: Any, embedder: Embedder, at: datetime) -> int:
    """Do the next piece of what waits; 0 when nothing does.

    Raises:
        TitlesUnread: titles wait that cannot be read here; all else has been done.
    """
    if not await waits(pool):
        return 0
    if compared := await _compare_page(pool):
        return compared
    if settled := await _settle_page(pool, at):
        return settled
    rows = await sql.fetch(pool, "titles_to_read", people=PEOPLE, limit=TITLES)
    return await _read(pool, embedder, [row["title"] for row in rows])


async def read_all(
    pool: Any, embedder: Embedder, at: datetime, told: Follow = lambda _: None
) -> None:
    """Do all that waits.

    Raises:
        TitlesUnread: titles wait that cannot be read here; all else has been done.
    """
    while await read_page(pool, embedder, at):
        told(await unread(pool))


async def likenesses(pool: Any) -> list[Likeness]:
    """The personas in force, as titles are compared with them."""
    return _likenesses(await sql.fetch(pool, "personas"))


async def waits(pool: Any) -> bool:
    """Whether somebody is in question, or titles are to be compared with changed personas."""
    return bool(await sql.fetchval(pool, "persona_work_waits"))


async def unread(pool: Any) -> int:
    """How many people are in question."""
    return int(await sql.fetchval(pool, "people_unread"))


async def _read(pool: Any, embedder: Embedder, titles: Sequence[str]) -> int:
    """Read titles, and note what they came to by the personas of now; how many."""
    if not titles:
        return 0
    vectors = await embedder.vectors(titles)  # with nothing locked
    async with pool.acquire() as conn, conn.transaction():
        await sql.execute(conn, "one_writer")
        borne = [row["title"] for row in await sql.fetch(conn, "titles_borne", titles=titles)]
        if not await _note(conn, embedder.model, {title: vectors[title] for title in borne}):
            return 0
    return len(titles)


async def _note(conn: Any, model: str, vectors: Mapping[str, Vector]) -> bool:
    """Note what titles came to; not where those in force are of another model, whose turn it is."""
    if not vectors:
        return True
    kept = await sql.fetch(conn, "personas")
    if {row["model"] for row in kept} != {model}:
        return False
    await sql.execute(
        conn,
        "note_titles",
        **_columns(list(vectors), match(_likenesses(kept), list(vectors.values()))),
        vectors=list(vectors.values()),
        model=model,
    )
    return True


async def _compare_page(pool: Any) -> int:
    """Compare the next titles with personas that have changed; how many, and 0 where all have been."""
    async with pool.acquire() as conn, conn.transaction():
        await sql.execute(conn, "one_writer")
        kept = await sql.fetch(conn, "personas")
        after = [row["compared_to"] for row in kept if row["compared_to"] is not None]
        if not after:
            return 0
        rows = await sql.fetch(conn, "titles_to_compare", after=min(after), limit=COMPARED)
        titles = [row["title"] for row in rows]
        matches = match(_likenesses(kept), [row["vector"] for row in rows])
        changed = await sql.fetch(conn, "compare_titles", **_columns(titles, matches))
        if others := [row["title"] for row in changed if row["is_another"]]:
            await sql.execute(conn, "question_people_of_titles", titles=others)
        await sql.execute(conn, "note_compared_to", compared_to=titles[-1] if titles else None)
        return max(1, len(rows))


async def _settle_page(pool: Any, at: datetime) -> int:
    """Give the next people in question their persona, as far as their titles have been read."""
    async with pool.acquire() as conn, conn.transaction():
        await sql.execute(conn, "one_writer")
        settled = await sql.fetchval(conn, "settle_persona_questions", limit=SETTLED, at=at)
        if settled:
            await nudge(conn)
        return int(settled)


def _likenesses(rows: Sequence[Any]) -> list[Likeness]:
    return [
        Likeness(row["slug"], dict(zip(row["likenesses"], row["vectors"], strict=True)))
        for row in rows
    ]


def _columns(titles: Sequence[str], matches: Sequence[Match]) -> dict[str, Any]:
    return {
        "titles": list(titles),
        "personas": [one.persona for one in matches],
        "scores": [one.score for one in matches],
        "unclears": [one.unclear for one in matches],
        "alternatives": [json.dumps(one.told()) for one in matches],
    }
