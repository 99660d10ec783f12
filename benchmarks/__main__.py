"""``python -m benchmarks [FIGURE...]``: measure, print a table, and one JSON object as last line."""

import argparse
import asyncio
import json
import signal
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks import (
    audience_to_sql,
    entry_seconds,
    events,
    gateway_clicks,
    import_matched,
    import_people,
    journey_to_floor,
    simulate_steps,
    smtp_to_raw,
    sync_lag,
    sync_to_raw,
    wake_seconds,
    worker_rss,
)
from benchmarks.figures import Figure
from benchmarks.ground import Ground, NotReached, ground
from benchmarks.machine import machine, versions
from caravan.garbage import collect_seldom
from caravan.stack.processes import StackError


@dataclass(frozen=True)
class Section:
    """What is measured together."""

    figures: dict[str, str]  # name: what it says
    measure: Callable[[Ground], Awaitable[list[Figure]]]
    long: bool = False  # measured only where it is asked for

    @property
    def minutes(self) -> int:
        """After how many it is given up."""
        return 120 if self.long else 5


#: in this order: what leaves much behind comes last
SECTIONS = (
    Section(
        {
            "journey_to_floor": "the rate of reference journey R1 to that of a bare one-timer workflow",
            "events_per_account": "mean history length of R1's workflows",
        },
        journey_to_floor.measure,
    ),
    Section(
        {"entry_seconds_p99": "from a Platform row qualifying to the account's first step"},
        entry_seconds.measure,
    ),
    Section(
        {
            "sync_lag_seconds_p99": "from a write in the engage store to the Platform, at 200 a second"
        },
        sync_lag.measure,
    ),
    Section(
        {"sync_to_raw": "the rate of the Platform sync to that of a bare upsert"},
        sync_to_raw.measure,
    ),
    Section(
        {
            "events_per_s": "events a second into the Platform store, down, and matched to who listens"
        },
        events.measure,
    ),
    Section(
        {
            "wake_seconds_p99": "from the answer to `POST /events` to the listening account's next step"
        },
        wake_seconds.measure,
    ),
    Section(
        {
            "gateway_clicks_per_s": "clicks a second through the gateway, each recorded and heard",
            "gateway_click_ms_p99": "how long a click waits for its answer",
        },
        gateway_clicks.measure,
    ),
    Section(
        {"smtp_to_raw": "mails a second of the send activity to those of a bare SMTP loop"},
        smtp_to_raw.measure,
    ),
    Section(
        {"simulate_steps_per_s": "account steps a second of `caravan simulate`"},
        simulate_steps.measure,
    ),
    Section(
        {
            "import_matched_to_plain": "importing people whom a rule makes one with others, to without a rule"
        },
        import_matched.measure,
    ),
    Section({"import_people_seconds": "importing 100,000 people"}, import_people.measure),
    Section(
        {"worker_rss_mb": "memory of a worker process with 5,000 accounts waiting"},
        worker_rss.measure,
    ),
    Section(
        {"audience_to_sql": "evaluating audiences over millions to SQL written by hand (long)"},
        audience_to_sql.measure,
        long=True,
    ),
)


def parser() -> argparse.ArgumentParser:
    """The command line; its help is the list of figures."""
    figures = {name: text for section in SECTIONS for name, text in section.figures.items()}
    width = max(map(len, figures))
    lines = "\n".join(f"  {name:<{width}}  {text}" for name, text in figures.items())
    made = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure Caravan on an embedded stack of its own, in a temporary folder.",
        epilog=f"figures:\n{lines}\n\n"
        "The table goes to stdout, whose last line is one JSON object with all figures; progress goes to\n"
        "stderr. Exits 0 when everything was measured, whether or not a target was met; 1 when something was not.\n\n"
        "  python -m benchmarks                   everything, a few minutes\n"
        "  python -m benchmarks sync_to_raw       one figure\n"
        "  python -m benchmarks --long            those that take long, at their full size",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "figures", nargs="*", metavar="FIGURE", help="which to measure; all if none is named"
    )
    made.add_argument("--long", action="store_true", help="measure what takes long, and only that")
    return made


def chosen(names: Sequence[str], *, long: bool = False) -> list[Section]:
    """The sections that give these figures; for none all that take long, or all others.

    Raises:
        LookupError: a name no section gives.
    """
    known = {name for section in SECTIONS for name in section.figures}
    for name in names:
        if name not in known:
            raise LookupError(f"no figure {name}; there are {', '.join(sorted(known))}")
    if not names:
        return [section for section in SECTIONS if section.long is long]
    return [section for section in SECTIONS if set(names) & section.figures.keys()]


def measure(sections: Sequence[Section]) -> tuple[list[Figure], dict[str, float], list[str]]:
    """Run sections one after another; returns their figures, how long each took, and what failed."""
    figures: list[Figure] = []
    took: dict[str, float] = {}
    failed: list[str] = []
    with ground() as standing:
        standing.stack.start()
        for section in sections:
            name = next(iter(section.figures))
            print(f"{name} …", file=sys.stderr, flush=True)
            began = time.monotonic()
            try:
                figures += asyncio.run(_in_time(section, standing))
            except NotReached as error:
                failed.append(f"{name}: {error}")  # the others are worth having
            except Exception as error:
                traceback.print_exc()
                failed.append(f"{name}: {type(error).__name__}: {error}")
            took[name] = round(time.monotonic() - began, 1)
    return figures, took, failed


async def _in_time(section: Section, standing: Ground) -> list[Figure]:
    try:
        async with asyncio.timeout(60 * section.minutes):
            return await section.measure(standing)
    except TimeoutError:
        raise NotReached(f"not measured within {section.minutes} minutes") from None


def show(console: Console, figures: Sequence[Figure], took: dict[str, float]) -> None:
    """The machine, the versions, and the table."""
    for facts in (machine(), versions()):
        console.print(
            " · ".join(f"{name} {value}" for name, value in facts.items()), highlight=False
        )
    table = Table(header_style="bold")
    for column in ("figure", "value", "", "target", "", "seconds"):
        table.add_column(column, justify="right" if column in ("value", "seconds") else "left")
    for figure in figures:
        colour = {"ok": "green", "missed": "red"}.get(figure.verdict, "none")
        table.add_row(
            figure.name,
            f"{figure.value:g}",
            figure.unit,
            str(figure.target or ""),
            f"[{colour}]{figure.verdict}[/]",
            f"{took[figure.name]:g}" if figure.name in took else "",
        )
    console.print(table)


def as_json(figures: Sequence[Figure], took: dict[str, float]) -> str:
    """All of it for programs, in one line."""
    return json.dumps(
        {
            **{figure.name: figure.value for figure in figures},
            "targets": {
                figure.name: {"target": str(figure.target), "met": figure.verdict == "ok"}
                for figure in figures
                if figure.target is not None
            },
            "details": {figure.name: figure.detail for figure in figures},
            "section_seconds": took,
            "machine": machine(),
            "versions": versions(),
        },
        ensure_ascii=False,
    )


def main() -> None:
    """Measure what the command line names."""
    given = parser()
    asked = given.parse_args()
    try:
        sections = chosen(asked.figures, long=asked.long)
    except LookupError as error:
        given.error(str(error.args[0]))
    # ended from outside, the stack is stopped too
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    collect_seldom()  # as the processes do whose code is measured here
    try:
        figures, took, failed = measure(sections)
    except StackError as error:
        sys.exit(f"benchmarks: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    show(Console(width=None if sys.stdout.isatty() else 120), figures, took)
    print(as_json(figures, took), flush=True)
    if failed:
        sys.exit("benchmarks: not measured: " + "; ".join(failed))


if __name__ == "__main__":
    main()
