"""``caravan ai titles``: the job titles there are, the persona each is told by, how surely, and what came next."""

from typing import Annotated, Any

import typer

from caravan.platform import personas, sql
from starter.errors import UserError
from starter.output import Format, FormatOption, plainly, plural, say, show
from starter.session import Session, SubscriptionOption, run_with

COLUMNS = ("title", "people", "persona", "score", "nearest", "next", "unclear")


def titles(
    persona: Annotated[
        str | None, typer.Option("--persona", help="Only those of a persona; `none`: of none.")
    ] = None,
    unclear: Annotated[
        bool,
        typer.Option("--unclear", help="Only those that two personas are about as near to, or that are like none."),
    ] = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:  # fmt: skip
    """List the job titles of people, the persona each is told by, its score and the nearest alternatives.

    A title is compared with the examples of each persona (documents `persona`); its score is the likeness of the two
    nearest, 0 to 1. Asks no model but the one that is embedded.
    """

    async def body(session: Session) -> None:
        pool = await session.platform()
        kept = [row["slug"] for row in await sql.fetch(pool, "personas")]
        if not kept:
            plainly(
                "The workspace has no personas: documents `persona: NAME` with examples of job titles"
            )
        if persona is not None and persona not in (*kept, "none"):
            raise UserError(f"No persona {persona}; there are {', '.join(kept) or 'none'}")
        rows = [title_row(row) for row in await sql.fetch(pool, "titles_of_people")]
        wanted = [
            row
            for row in rows
            if (persona is None or row["persona"] == (None if persona == "none" else persona))
            and (not unclear or row["unclear"] or (row["read"] and row["persona"] is None))
        ]
        show(
            wanted if form is Format.json else [for_people(row) for row in wanted],
            form,
            columns=COLUMNS,
            empty="no such title",
        )
        if waiting := await personas.unread(pool):
            say(
                f"{plural(waiting, 'title')} of people still to be looked at: a worker does, within seconds"
            )

    run_with(subscription, body)


def title_row(row: Any) -> dict[str, Any]:
    """A title for programs."""
    return {
        "title": row["title"],
        "people": row["people"],
        "persona": row["persona"],
        "score": None if row["score"] is None else round(row["score"], 4),
        "unclear": bool(row["unclear"]),
        "read": row["is_read"],
        "alternatives": row["alternatives"] or [],
    }


def for_people(row: dict[str, Any]) -> dict[str, Any]:
    """The same in a line: the nearest example, and the persona that came next."""
    first, second = [*row["alternatives"], None, None][:2]
    return {
        **row,
        "score": first and f"{first['score']:.3f}",
        "nearest": first and first["example"],
        "next": second and f"{second['persona']} {second['score']:.3f}",
        "unclear": "unclear" if row["unclear"] else "" if row["read"] else "not read yet",
    }
