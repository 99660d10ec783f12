"""A simulation as one self-contained page: the journey drawn with its counts, and a row per account."""

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from caravan.journeys.actions.base import ABOUT
from caravan.simulation.graph import END, graph_of
from caravan.simulation.picture import draw
from caravan.simulation.told import Told

_PAGE = Template((Path(__file__).parent / "page.html").read_text(encoding="utf-8"))


def page(told: Told, *, refresh: int | None = None) -> str:
    """The page; it needs nothing but itself.

    Args:
        told: the run.
        refresh: seconds after which a browser looks for a newer page.
    """
    plan, summary = told.ran.compiled.plan, told.summary
    graph = graph_of(plan, told.lines, summary)
    again = f'<meta http-equiv="refresh" content="{refresh}">\n' if refresh else ""
    return _PAGE.substitute(
        refresh=again,
        title=escape(plan.name),
        when=f"{escape(plan.journey)}, published {_time(summary['at'])}, walked until {_time(summary['until'])} (all times are UTC)",
        facts=_facts(told),
        picture=draw(graph),
        rows="\n".join(_row(bodies) for bodies in _by_entry(told)),
    )


def _facts(told: Told) -> str:
    summary = told.summary
    mails = sum(_sent(line.body) for line in told.lines)
    facts = {
        "accounts": summary["accounts"],
        "entries": summary["entries"],
        "inside": summary["inside"],
        **summary["exits"],
        "mails": mails,
        **{f"decisions: {by}": n for by, n in summary.get("decisions", {}).items()},
    }
    return "".join(f"<div><dt>{escape(what)}</dt><dd>{n}</dd></div>" for what, n in facts.items())


def _by_entry(told: Told) -> list[list[dict[str, Any]]]:
    entries: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for line in told.lines:
        entries.setdefault((line.body["account"], line.body["entry"]), []).append(line.body)
    return [entries[key] for key in sorted(entries)]


def _row(bodies: Sequence[dict[str, Any]]) -> str:
    enter, *visits = bodies
    last = visits.pop() if visits and visits[-1]["kind"] == "exit" else None
    way = " <i>→</i> ".join(_step_in_short(body) for body in visits)
    steps = "".join(f"<li>{_step(body)}</li>" for body in visits)
    nodes = [body["node"] for body in visits]
    if last is not None:
        nodes.append(END.lstrip("\0") + (last.get("label") or last["reason"]))
    left = escape(last.get("label") or last["reason"]) if last is not None else "inside"
    cells = [
        f"<td>{escape(enter['account'])}</td>",
        f'<td class="number">{enter["entry"]}</td>',
        f'<td class="time">{_time(enter["at"])}</td>',
        f'<td class="path"><details><summary>{way}</summary><ol class="steps">{steps}</ol></details></td>',
        f'<td class="number">{sum(map(_sent, visits))}</td>',
        f"<td>{left}</td>",
        f'<td class="time">{_time(last["at"]) if last is not None else ""}</td>',
    ]
    named = escape(json.dumps(nodes), quote=True)
    return f'<tr data-nodes="{named}">{"".join(cells)}</tr>'


def _step_in_short(body: dict[str, Any]) -> str:
    outcome = body.get("outcome")
    label = f" <i>{escape(outcome)}</i>" if isinstance(outcome, str) else ""
    return f"{escape(body['node'])}{label}"


def _step(body: dict[str, Any]) -> str:
    told = [f"<b>{escape(body['node'])}</b> {_time(body['at'])}"]
    outcome = body.get("outcome")
    if isinstance(outcome, dict):
        told.append(
            ", ".join(f"{escape(who)}: {escape(path or '–')}" for who, path in outcome.items())
        )
    elif outcome is not None:
        told.append(escape(outcome))
    if body.get("by"):
        told.append(f"decided by {'a line' if body['by'] == 'recorded' else escape(body['by'])}")
    if body.get("event"):
        told.append(escape(" ".join(filter(None, (body["event"], body.get("person"))))))
    if body.get("until"):
        told.append(f"until {_time(body['until'])}")
    told += [_effect(effect) for effect in body.get("effects", ())]
    return " · ".join(part for part in told if part)


def _effect(effect: dict[str, Any]) -> str:
    about = " ".join(effect[key] for key in ABOUT if key in effect)
    words = [effect["action"].replace("_", " "), about, effect.get("person"), effect["outcome"]]
    reason = f" ({effect['reason']})" if effect.get("reason") else ""
    return escape(" ".join(word for word in words if word) + reason)


def _sent(body: dict[str, Any]) -> int:
    return sum(effect["outcome"] == "sent" for effect in body.get("effects", ()))


def _time(at: str) -> str:
    """As people read it; the page says once that all is UTC."""
    return at.replace("T", " ").removesuffix("Z").removesuffix(":00")
