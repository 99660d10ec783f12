"""``caravan ai roles --solution-interest X``: a roles template from the job titles there are, to be approved."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from caravan.database.pool import Pool
from caravan.journeys.documents import PersonaDocument
from caravan.journeys.reading import SLUG, SLUG_IN_WORDS
from caravan.journeys.workspace import load_workspace
from caravan.limit_settings import read_limits
from caravan.personas.embedding import Vector
from caravan.personas.matching import Likeness, Match, match
from caravan.personas.role_proposal import (
    HeldTitle,
    RoleProposal,
    likenesses,
    people_in_words,
    propose,
    roles_of_personas,
    roles_of_roles,
    texts,
)
from caravan.platform import personas, sql
from starter.ai_writing import DirOption
from starter.embedder import embedder
from starter.errors import UserError
from starter.output import Format, FormatOption, as_json, plainly, plural, say, show
from starter.progress import bar, count
from starter.roles_template_text import text_of
from starter.session import Session, SubscriptionOption, run_with
from starter.validate import runnable_workspace, tell
from starter.written_files import sure, write_files

#: titles that are read, where there are no personas: those that most people bear
MOST_TITLES = 5_000
COLUMNS = ("title", "people", "score", "example")
#: read at once, so that progress can be told
AT_ONCE = 64
#: titles of a role, and unclear ones, that are shown
SHOWN = 12


def roles(
    solution_interest: Annotated[
        str, typer.Option("--solution-interest", help="For whose buying groups it is.")
    ],
    directory: DirOption = Path(),
    write: Annotated[bool, typer.Option("--write", help="Write the file without asking.")] = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Propose a roles template from the job titles of the people there are. Needs no model but the embedded one.

    It looks at the accounts for which the solution interest has buying groups (the audiences of its jobs), or at all of
    them where it has none yet, and says what titles each role would catch, how many people have a role then, what is
    unclear, and why. Roles ask for personas where the workspace has some, else for the titles. A new file is written
    with `--write` or on yes; nothing is applied.

    Try: `caravan ai roles --solution-interest grid --dir examples/grid-analytics`
    """
    if not SLUG.fullmatch(solution_interest):
        raise UserError(f"{solution_interest!r} is not a slug: {SLUG_IN_WORDS}")
    workspace = runnable_workspace(directory, datetime.now(UTC))
    slug = f"{solution_interest}-roles"
    file = f"{slug}.yaml"
    audiences = [
        job.audience
        for job in workspace.buying_group_jobs.values()
        if job.solution_interest == solution_interest
    ]

    async def body(session: Session) -> None:
        proposal = await _propose(session, audiences, list(workspace.personas.values()))
        if not proposal.roles:
            raise UserError(
                "No job title there is like one of a role; `caravan ai titles` lists the titles there are"
            )
        text = text_of(proposal, slug, solution_interest)
        _validate(directory, file, text)
        if form is Format.table:
            _show(proposal, text, file)
        written = _write(directory, file, text, write=write, asks=form is Format.table)
        if form is Format.json:
            print(as_json(_told(proposal, solution_interest, slug, file, text, written=written)))
        elif written:
            plainly(f"{directory / file}")
            plainly(
                f"Read it, and name it as roles_template: {slug} of solution interest {solution_interest}; "
                "`caravan plan` tells what that would change."
            )

    run_with(subscription or workspace.settings.pair.munchkin, body)


async def _propose(
    session: Session, audiences: Sequence[str], documents: Sequence[PersonaDocument]
) -> RoleProposal:
    pool = await session.platform()
    rows = await sql.fetch(pool, "titles_at_accounts", audiences=list(audiences))
    if not rows:
        where = f"in {' or '.join(audiences)}" if audiences else "in the Platform store"
        raise UserError(
            f"There are no people at accounts {where}: `caravan apply DIR` imports data"
        )
    told_apart = await personas.likenesses(pool)
    _are_applied(documents, told_apart)
    if told_apart and (waiting := await personas.unread(pool)):
        say(
            f"{people_in_words(waiting)} still in question: a worker reads their titles, within seconds"
        )
    titles = sorted((row for row in rows if row["title"] is not None), key=_most_first)
    if told_apart:
        looked_at = titles
        matches = [_match_of(row) for row in looked_at]
        role_of = roles_of_personas(told_apart, await _vectors(pool, texts()))
    else:
        looked_at = titles[:MOST_TITLES]
        names = [row["title"] for row in looked_at]
        vectors = await _vectors(pool, [*texts(), *names])
        matches = match(likenesses(vectors), [vectors[one] for one in names])
        role_of = roles_of_roles()
    return propose(
        [_held(row, found) for row, found in zip(looked_at, matches, strict=True)],
        role_of,
        untitled=sum(sum(row["people"]) for row in rows if row["title"] is None),
        not_looked_at=sum(sum(row["people"]) for row in titles[len(looked_at) :]),
        accounts=len({one for row in rows for one in row["accounts"]}),
        by_persona=bool(told_apart),
    )


def _most_first(row: Any) -> tuple[int, str]:
    return -sum(row["people"]), row["title"]


def _held(row: Any, found: Match) -> HeldTitle:
    at: Counter[int] = Counter()
    for account, people in zip(row["accounts"], row["people"], strict=True):
        at[account] += people
    return HeldTitle(row["title"], at, found, tuple(sorted(row["spellings"])))


def _are_applied(documents: Sequence[PersonaDocument], kept: Sequence[Likeness]) -> None:
    """A role may ask for those of the workspace, and people are told apart by those in the store."""
    wanted = [(one.persona, one.likenesses) for one in documents]
    if wanted != [(one.persona, tuple(one.examples)) for one in kept]:
        raise UserError("The personas of the workspace are not applied: run `caravan apply` first")


async def _vectors(pool: Pool, wanted: Sequence[str]) -> dict[str, Vector]:
    """What texts mean; what the store has of them is not read again."""
    reader = embedder()
    rows = await sql.fetch(pool, "vectors_of_titles", titles=list(wanted), model=reader.model)
    vectors: dict[str, Vector] = {row["title"]: row["vector"] for row in rows}
    missing = [one for one in wanted if one not in vectors]
    with bar("titles") as progress:
        moved = count(progress)
        for start in range(0, len(missing), AT_ONCE):
            vectors |= await reader.vectors(missing[start : start + AT_ONCE])
            moved("job titles", min(len(missing), start + AT_ONCE))
    return vectors


def _match_of(row: Any) -> Match:
    """What a title came to in the store; nothing where nobody has read it yet."""
    return Match.read(
        row["persona"], row["score"] or 0.0, bool(row["unclear"]), row["alternatives"] or []
    )


def _validate(directory: Path, file: str, text: str) -> None:
    """What is proposed passes validation together with the workspace, or it is not proposed."""
    with_it = load_workspace(directory, datetime.now(UTC), read_limits(), drafts={file: text})
    if with_it.faults:
        tell(directory, list(with_it.faults))
        raise UserError("the proposal does not fit the workspace (above); nothing was written")


def _write(directory: Path, file: str, text: str, *, write: bool, asks: bool) -> bool:
    if (directory / file).exists():
        if write:
            raise UserError(f"{file} is there already and was left as it is: move it away first")
        return False
    if not write and not (asks and sys.stdin.isatty() and sure(f"Write {file}?", False)):
        return False
    write_files(directory, {file: text})
    return True


def _show(proposal: RoleProposal, text: str, file: str) -> None:
    plainly(f"--- {file}")
    plainly(text)
    for role in proposal.roles:
        if role.titles:
            rows = [asdict(one) for one in role.titles[:SHOWN]]
            show(
                rows,
                Format.table,
                columns=COLUMNS,
                title=f"{role.role} ({plural(len(role.titles), 'title')})",
            )
            plainly("")
    plainly(
        f"Coverage: {proposal.covered} of {proposal.people} people ({proposal.coverage:.0%}) at "
        f"{plural(proposal.accounts, 'account')}; {proposal.untitled} without a title"
        + (
            f"; {proposal.not_looked_at} with titles that were not looked at, for they are none of the {MOST_TITLES} commonest"
            if proposal.not_looked_at
            else ""
        )
    )
    if proposal.unclear:
        show(
            [asdict(one) for one in proposal.unclear[:SHOWN]],
            Format.table,
            title=f"Unclear ({plural(len(proposal.unclear), 'title')})",
        )
    if proposal.left_out:
        rows = [asdict(one) for one in proposal.left_out[:SHOWN]]
        show(rows, Format.table, columns=COLUMNS, title="In no role")


def _told(
    proposal: RoleProposal, interest: str, slug: str, file: str, text: str, *, written: bool
) -> dict[str, Any]:
    """All of it for programs."""
    return {
        "solution_interest": interest,
        "roles_template": slug,
        "file": file,
        "text": text,
        "written": written,
        "people": proposal.people,
        "accounts": proposal.accounts,
        "covered": proposal.covered,
        "coverage": round(proposal.coverage, 4),
        "untitled": proposal.untitled,
        "not_looked_at": proposal.not_looked_at,
        "by_persona": proposal.by_persona,
        "roles": [asdict(role) for role in proposal.roles],
        "unclear": [asdict(one) for one in proposal.unclear],
        "left_out": [asdict(one) for one in proposal.left_out],
    }
