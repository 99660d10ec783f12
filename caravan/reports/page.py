"""The report of a journey as one self-contained page with charts."""

from html import escape
from itertools import accumulate
from pathlib import Path
from string import Template

from caravan.reports.charts import bars, intervals, lines
from caravan.reports.decisions import DecisionNode
from caravan.reports.emails import EmailCounts, together
from caravan.reports.journey import JourneyReport, VariantNode
from caravan.reports.wording import interval_in_words, rate, verdict_in_words, with_rate

_PAGE = Template((Path(__file__).parent / "page.html").read_text(encoding="utf-8"))


def page(name: str, slug: str, made: JourneyReport, *, duration: str) -> str:
    """The page; it needs nothing but itself.

    Args:
        name: the journey's.
        slug: the journey's.
        made: the report.
        duration: from entry to completion, in words; empty where nobody has completed.
    """
    days = [day for day, _, _ in made.days]
    growing = [
        ("entered", list(accumulate(entered for _, entered, _ in made.days))),
        ("completed", list(accumulate(completed for _, _, completed in made.days))),
    ]
    return _PAGE.substitute(
        title=escape(name),
        slug=escape(slug),
        facts=_facts(made, duration),
        over_time=lines(days, growing) or "<p>Nobody has entered yet.</p>",
        outcomes=bars(
            [_outcome(row.reason, row.label, row.accounts, made.entered) for row in made.outcomes]
        ),
        variants="\n".join([*map(_variant, made.variants), *map(_decided, made.decisions)]),
        emails=_emails(made),
    )


def _facts(made: JourneyReport, duration: str) -> str:
    facts = {
        "entered": str(made.entered),
        "completed": with_rate(made.completed, made.completion_rate),
        "inside": str(made.inside),
        "accounts engaged": str(made.engaged_accounts),
        "people engaged": str(made.engaged_people),
        "entry to completion": duration or "–",
    }
    return "".join(
        f"<div><dt>{what}</dt><dd>{escape(told)}</dd></div>" for what, told in facts.items()
    )


def _outcome(reason: str, label: str | None, accounts: int, entered: int) -> tuple[str, int, str]:
    name = f"{label} ({reason})" if label else reason
    return name, accounts, with_rate(accounts, accounts / entered if entered else None)


def _variant(node: VariantNode) -> str:
    rows = [
        (
            path.label if path.share is None else f"{path.label} ({path.share} %)",
            path.arm.rate,
            path.arm.interval(),
            f"{path.arm.successes} of {path.arm.number}, {interval_in_words(path.arm) or 'nobody'}",
        )
        for path in node.paths
    ]
    return (
        f"<h2>Variants at {escape(node.node)}: {node.of}, {escape(node.success)}</h2>"
        f"{intervals(rows)}<p>{escape(verdict_in_words(node))}</p>"
    )


def _decided(node: DecisionNode) -> str:
    rows = [
        (
            f"{path.path} ({path.cause})" if path.cause else path.path,
            path.accounts,
            with_rate(path.accounts, path.accounts / node.accounts)
            + (f", confidence {path.confidence:.2f}" if path.confidence is not None else ""),
        )
        for path in node.paths
    ]
    return f"<h2>Decided by a model at {escape(node.node)}</h2>{bars(rows)}"


def _emails(made: JourneyReport) -> str:
    if not made.emails:
        return "<p>None was sent.</p>"
    rows = [(row.email, row.counts) for row in made.emails]
    if len(rows) > 1:
        rows.append(("all", together(made.emails)))
    head = "".join(
        f'<th class="number">{what}</th>'
        for what in (
            "sent",
            "delivered",
            "opened",
            "clicked",
            "click to open",
            "bounced",
            "unsubscribed",
        )
    )
    body = "".join(f"<tr><td>{escape(name)}</td>{_cells(counts)}</tr>" for name, counts in rows)
    return f"<table><thead><tr><th>e-mail</th>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(counts: EmailCounts) -> str:
    rates = counts.rates
    told = (
        str(counts.sent),
        with_rate(counts.delivered, rates["delivery_rate"]),
        with_rate(counts.opened, rates["open_rate"]),
        with_rate(counts.clicked, rates["click_rate"]),
        rate(rates["click_to_open_rate"]) or "–",
        with_rate(counts.bounced, rates["bounce_rate"]),
        with_rate(counts.unsubscribed, rates["unsubscribe_rate"]),
    )
    return "".join(f'<td class="number">{text}</td>' for text in told)
