"""What an operator reads in the Temporal Web UI: summaries, search attributes, current details."""

import re
from datetime import datetime

from temporalio.common import SearchAttributeKey

from caravan.journeys.control import ControlPlan, Target
from caravan.journeys.moving import Moved
from caravan.journeys.reasons import ExitReason
from caravan.journeys.state import Ended, Outcome, State

JOURNEY = SearchAttributeKey.for_keyword("Journey")
VERSION = SearchAttributeKey.for_int("JourneyVersion")
ACCOUNT = SearchAttributeKey.for_keyword("Account")
NODE = SearchAttributeKey.for_keyword("Node")
OUTCOME = SearchAttributeKey.for_keyword("Outcome")

#: details may have 20,000 bytes
HOPS_SHOWN = 60

MARKDOWN = re.compile(r"[\\`*_\[\]<>#|]")

#: why an account left, in words
REASONS: dict[str, str] = {
    ExitReason.COMPLETED: "completed the journey",
    ExitReason.TIMEOUT: "nothing was heard in time and the listen names no way on",
    ExitReason.NO_PATH: "no path fitted",
    ExitReason.EXIT: "an exit's condition was met",
    ExitReason.MAX_VISITS: "it came to one node too often",
    ExitReason.FAILED: "an outside service failed or did not answer in time",
    ExitReason.END_DATE: "the journey's end date came",
    ExitReason.REMOVED: "removed by hand",
    ExitReason.ACCOUNT_DELETED: "account deleted",
    ExitReason.ACCOUNT_MERGED: "another account stands for it",
    ExitReason.ABORTED: "the journey was aborted",
}


#: what can end a rest before its time
SOONER = {
    "listen": ", or sooner when it hears what it listens for",
    "call": ", or sooner when the service answers",
}


def summary(text: str) -> str:
    """A text that fits a summary: the server refuses more than 400 bytes of JSON."""
    return text if len(text.encode()) <= 195 else text.encode()[:190].decode(errors="ignore") + "…"


def indexed(text: str) -> str:
    """A text as a search attribute: the server ends a workflow that sets one over 2,048 bytes."""
    return text[:200]


def titled(control: ControlPlan | None, node: str) -> str:
    """A node as people call it: its label and its name."""
    label = control.nodes[node].label if control and node in control.nodes else ""
    return f"{label} ({node})" if label and label != node else node


def activity_summary(control: ControlPlan | None, state: State) -> str:
    """What a stretch is about to do, for its line in the timeline."""
    if control is None or state.position is None:
        return "Enter"
    node = titled(control, state.position)
    return summary(f"Go on from {node}" if state.pending else f"At {node}")


def send_summary(control: ControlPlan | None, node: str) -> str:
    return summary(f"E-mail · {titled(control, node)}" if node else "Enter · E-mail")


def call_summary(control: ControlPlan | None, node: str) -> str:
    return summary(f"Call · {titled(control, node)}")


def decide_summary(control: ControlPlan | None, node: str) -> str:
    return summary(f"Decide · {titled(control, node)}")


def rest_summary(control: ControlPlan | None, state: State, until: datetime) -> str:
    """What a timer waits for."""
    position = state.position or ""
    if state.pending is None:
        return summary(
            f"Paused, until {instant(until)} at the latest · {titled(control, position)}"
        )
    kind = control.nodes[position].kind if control and position in control.nodes else "wait"
    rests = {"listen": "Listen", "call": "Wait for the answer"}.get(kind, "Wait")
    # the instant first: it must not be what is cut off
    return summary(f"{rests} until {instant(until)} · {titled(control, position)}")


def hop(control: ControlPlan | None, outcome: Outcome) -> str:
    """One line of an account's way, also for steps merged into one activity."""
    at = f"{outcome.at:%Y-%m-%d %H:%M:%S} · " if outcome.at else ""
    node = _plain(titled(control, outcome.command.node))
    visit = f", visit {outcome.command.visit}" if outcome.command.visit > 1 else ""
    what = _what(control, outcome)
    return f"{outcome.step_no}. {at}**{node}**{visit}: {what}{_next(control, outcome)}"


def move_hop(control: ControlPlan | None, moved: Moved) -> str:
    """The line of a move to another version."""
    node = moved.state.position or ""
    was = f" (was {_plain(moved.node)})" if moved.node not in ("", node) else ""
    at = f"{moved.at:%Y-%m-%d %H:%M:%S}"
    return f"{moved.step_no}. {at} · **{_plain(titled(control, node))}**{was}: moved to v{moved.version}"


def _what(control: ControlPlan | None, outcome: Outcome) -> str:
    kind, edge = outcome.command.kind, outcome.edge
    names = control.nodes[outcome.command.node].names if control else {}
    if control is not None and edge in control.exits:
        return f"takes the {_plain(edge.replace(':', ' ', 1))}"
    if edge is None and outcome.until is not None:
        rests = {"listen": "listens", "call": "asked, waits for the answer"}.get(kind, "waits")
        return f"{rests} until {instant(outcome.until)}"
    match kind:
        case "send":
            counts = ", ".join(
                f"{n} {state.replace('_', ' ')}" for state, n in outcome.counts.items()
            )
            return f"mail: {counts or 'nobody to mail'}"
        case "decide":
            return f"decided: {_plain(names.get(edge or '', edge or ''))}"
        case "choose":
            if edge == "otherwise":
                return "other accounts"
            return f"path {_plain(names.get(edge or '', edge or ''))}"
        case "wait":
            return "waited"
        case "call":
            return _answered(names, edge)
        case "listen":
            if edge == "timeout":
                return "nothing heard in time"
            return f"heard {_plain(names.get(edge or '', f'event {edge}'))}"
        case _:
            return "arrives, records written" if outcome.command.segment == 0 else "records written"


def _answered(names: dict[str, str], edge: str | None) -> str:
    match edge:
        case "timeout":
            return "no answer in time"
        case "failed":
            return "the service failed"
        case None | "next" | "otherwise":
            return "answered"
    return f"answered: path {_plain(names.get(edge, edge))}"


def _next(control: ControlPlan | None, outcome: Outcome) -> str:
    """Where the account went; empty while it stays."""
    if control is None or outcome.edge is None:
        return ""
    edges = control.nodes[outcome.command.node].edges | control.exits
    target = edges.get(outcome.edge, Target(reason=ExitReason.COMPLETED))
    if target.node is not None:
        return f" → {_plain(titled(control, target.node))}"
    return (
        f" → out, {_plain(target.label or REASONS.get(target.reason or '', target.reason or ''))}"
    )


def details(
    title: str,
    control: ControlPlan | None,
    state: State,
    hops: tuple[str, ...],
    *,
    held: bool = False,
    version: int | None = None,
) -> str:
    """Markdown: where the account stands, when it wakes next, and every hop so far.

    ``version``: the one it has moved to, where that is not the one of its title.
    """
    lines = [f"### {_plain(title)}", "", *_stands(control, state)]
    if version is not None:
        lines += ["", f"**Moved to v{version}** since it entered"]
    if held:
        lines += [
            "",
            "**Held** · the journey is paused or all sending is halted; it goes on when that is over",
        ]
    if hops:
        left_out = state.step_no - 1 - len(hops)
        heading = f"The last {len(hops)} steps" if left_out > 0 else "The way so far"
        lines += ["", f"**{heading}** (UTC)", "", *hops]
    return "\n".join(lines) + "\n"


def _stands(control: ControlPlan | None, state: State) -> list[str]:
    if state.ended is not None:
        return [f"**Has left** · {_left(state.ended)}"]
    if state.position is None:
        return ["**Enters the journey**"]
    node = _plain(titled(control, state.position))
    if state.pending is None:
        return [f"**Stands at** {node}"]
    kind = control.nodes[state.position].kind if control else "wait"
    rests = {"listen": "listens there", "call": "waits for a service's answer"}
    what = rests.get(kind, "waits there")
    since = instant(state.pending.asked_at)
    return [
        f"**Stands at** {node} and {what} since {since}",
        "",
        f"**Next wake-up** {instant(state.pending.until)}" + SOONER.get(kind, ""),
    ]


def _left(ended: Ended) -> str:
    why = REASONS.get(ended.reason, ended.reason)
    return f"outcome **{_plain(ended.label)}** · {why}" if ended.label else why


def static_details(traversal_id: int, entry: int) -> str:
    """Markdown that stays: what the ids mean and what the buttons do."""
    return (
        f"Traversal {traversal_id}, entry {entry} of this account into this journey. Where it stands is "
        "under *Current Details*, which a running worker answers. The store's row is the truth: "
        "**Terminate** or **Request Cancellation** removes the account from the journey within seconds; "
        "**Reset** repeats nothing that was done. Names, reasons and messages are not kept here: `caravan account show ID` "
        "has them, with `--summary` in short.\n"
    )


def stream_details(title: str, munchkin: str, line: str) -> str:
    """Markdown of a long-lived workflow of a subscription."""
    return f"### {_plain(title)} · {munchkin}\n\n{line}\n"


def progress(rows: int, waiting: int, lag_seconds: float, at: datetime, note: str = "") -> str:
    """How a stream stood when it last reported."""
    behind = f" · {waiting} waiting, {lag_seconds:.1f} s behind" if waiting else " · nothing waits"
    told = f" · {_plain(note)}" if note else ""
    return f"**{rows}** rows moved so far{behind}{told} · as of {instant(at)}"


def instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _plain(text: str) -> str:
    """What an author wrote, so that it cannot act as Markdown."""
    return MARKDOWN.sub(r"\\\g<0>", text.replace("\n", " "))
