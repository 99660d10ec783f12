"""``caravan ai journey --brief TEXT``: a journey that a model proposes, rehearsed, shown, and written on yes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from caravan.ai.journey_building import Proposal, propose
from caravan.ai.writing import LONGEST_BRIEF
from caravan.journeys.diagram import mermaid
from caravan.limit_settings import read_limits
from caravan.reports.node_words import kind_of, of_whom
from caravan.simulation.run import Asked
from caravan.simulation.told import Told, simulate
from caravan.simulation.told_paths import doings
from starter.ai_words import words_of
from starter.ai_writing import (
    AgainOption,
    DirOption,
    cost_of,
    have_written,
    model_settings,
    told,
)
from starter.embedder import embedder
from starter.errors import UserError
from starter.import_data import tell_bad_rows
from starter.output import Format, FormatOption, as_json, counted, plainly, plural, say, show
from starter.scratch import scratch_dsn
from starter.session import SubscriptionOption, run
from starter.simulate import progress_bar, tell_titles_unread
from starter.validate import runnable_workspace
from starter.written_files import ensure_somebody_decides, sure, write_files


def journey(
    brief: Annotated[str, typer.Option("--brief", help="For whom, what is to happen, and what counts as success.")],
    directory: DirOption = Path(),
    data: Annotated[
        Path | None, typer.Option("--data", help="A folder of data files to rehearse it with. Absent: the workspace's.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write the files without asking.")] = False,
    again: AgainOption = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:  # fmt: skip
    """Propose a journey to a brief, with the audience and the e-mails it needs. Needs a model (docs/ai.md).

    What is not valid together with the workspace goes back to the model, five rounds at most. What is valid is
    simulated on the workspace's data files and shown: files, picture, how many come to each node and take each path, and
    what each path sends. New files are written on yes alone; nothing that is there is changed, and nothing is
    applied. The model is told names of fields, audiences, templates and events; no row of data.

    Try: `caravan ai journey --dir examples/grid-analytics --brief "Win back energy accounts that went quiet"`
    """
    settings = model_settings()
    wanted = words_of("--brief", brief, LONGEST_BRIEF)
    ensure_somebody_decides(yes, "the files are written")
    now = datetime.now(UTC)
    workspace = runnable_workspace(directory, now)
    if data is not None and not data.is_dir():
        raise UserError(f"{data} is no folder; give the folder of the data files")

    proposal = have_written(
        settings,
        workspace,
        subscription,
        lambda asks: propose(asks, workspace, wanted, at=now, limits=read_limits(), fresh=again),
    )
    rehearsed = rehearse(proposal, data or workspace.data, now)
    if form is Format.table:
        show_proposal(proposal, rehearsed)
        plainly(f"Proposed {cost_of(proposal.answer, settings)}.")
    if not sure(f"Write {plural(len(proposal.files), 'file')} into {directory}?", yes):
        raise UserError("nothing was written")
    paths = write_files(directory, proposal.files)
    if form is Format.json:
        print(as_json(as_told(proposal, rehearsed)))
        return
    for path in paths:
        plainly(str(path))
    if proposal.workspace.unapproved:
        plainly(
            "Read the e-mails and name who approves each as approved_by: in its front matter; until then `caravan apply` "
            "publishes nothing."
        )


def rehearse(proposal: Proposal, data: Path | None, at: datetime) -> Told:
    """The journey in virtual time, with data files."""
    if data is None:
        say("the workspace has no data files (data: in its document, or --data): nobody enters")
    asked = Asked(proposal.workspace, proposal.journey, at, data=data, embedder=embedder())
    with scratch_dsn() as dsn, progress_bar(proposal.journey) as progress:
        rehearsed = run(simulate(dsn, asked, progress))
    tell_bad_rows(rehearsed.ran.reports)
    tell_titles_unread([rehearsed.ran.titles_unread])
    return rehearsed


def show_proposal(proposal: Proposal, rehearsed: Told) -> None:
    """All that somebody wants to see who is to say yes."""
    for file, text in proposal.files.items():
        plainly(f"--- {file}")
        plainly(text)
    plainly("--- picture (Mermaid)")
    plainly(picture(rehearsed))
    summary = rehearsed.summary
    plainly("")
    plainly(f"{proposal.journey}: {proposal.summary.strip()}")
    exits = counted(summary["exits"].items())
    plainly(
        f"Rehearsed from {summary['at']} to {summary['until']}: {plural(summary['accounts'], 'account')}, "
        f"{summary['entries']} entries, {summary['inside']} still inside{f'; left: {exits}' if exits else ''}. Nobody "
        "opens, clicks or answers in it: every listen waits until its time is up."
    )
    show(node_rows(rehearsed), Format.table, title="\nNodes")
    rows = [{**one, "outcomes": one["outcomes"] or "nobody came"} for one in done_rows(rehearsed)]
    show(rows, Format.table, title="\nWhat each path does", empty="nothing")


def picture(rehearsed: Told) -> str:
    """The journey as ``caravan journey show --diagram`` draws it, with the counts of the rehearsal."""
    nodes = rehearsed.summary["nodes"]
    counters = {name: f"{one['arrivals']} in, {one['inside']} here" for name, one in nodes.items()}
    return mermaid(rehearsed.ran.compiled.plan, counters)


def node_rows(rehearsed: Told) -> list[dict[str, Any]]:
    """A row a node, as ``caravan journey show`` has them."""
    counts = rehearsed.summary["nodes"]
    return [
        {
            "node": name,
            "kind": kind_of(node),
            "of": of_whom(node),
            "label": node.label or "",
            "arrivals": counts[name]["arrivals"],
            "inside": counts[name]["inside"],
            "paths": counts[name]["paths"] or None,
        }
        for name, node in rehearsed.ran.compiled.plan.nodes.items()
    ]


def done_rows(rehearsed: Told) -> list[dict[str, Any]]:
    """What each path does, and to how many it was done; of a message its subject or its text too."""
    plan = rehearsed.ran.compiled.plan
    rows = []
    for one in doings(plan, rehearsed.lines):
        template = plan.templates.get(one.about or "") if one.action.kind == "send_email" else None
        rows.append(
            {
                "node": one.node,
                "path": one.path,
                "action": one.action.kind,
                "about": one.about,
                "says": template.subject if template else getattr(one.action, "text", None),
                "outcomes": dict(one.outcomes.most_common()),
            }
        )
    return rows


def as_told(proposal: Proposal, rehearsed: Told) -> dict[str, Any]:
    """All of it for programs."""
    return {
        "journey": proposal.journey,
        "summary": proposal.summary,
        "files": [{"file": file, "text": text} for file, text in proposal.files.items()],
        "picture": picture(rehearsed),
        "rehearsal": rehearsed.summary,
        "nodes": node_rows(rehearsed),
        "sends": done_rows(rehearsed),
        **told(proposal.answer),
    }
