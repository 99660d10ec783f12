"""``python -m evaluations [FEATURE...]``: put the cases to the model that is set; scores and cost per feature."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta

from rich.console import Console
from rich.table import Table

from caravan.ai.asking import Asker
from caravan.ai.unanswered import NoModel
from caravan.ai_settings import AISettings
from caravan.settings import SettingsError
from caravan.simulation.throw_away import throw_away_pair
from caravan.stack.processes import StackError
from evaluations.cases import BadCases
from evaluations.evaluation import Evaluation, Result, Scored, evaluate
from evaluations.registry import EVALUATIONS
from starter.scratch import scratch_dsn


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m evaluations",
        description="Put fixed cases to the model that AI_MODEL names, and score its answers from 0 to 1. `personas` needs none.",
        epilog="The table goes to stdout, whose last line is one JSON object with all scores; progress goes to\n"
        "stderr. Stores are throw-away ones: AI_DAILY_TOKENS and AI_DAILY_COST bound this run alone. Exits 0\n"
        "when everything was asked, whatever the scores; 2 where nothing can be.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("features", nargs="*", metavar="FEATURE", help="which; all if none is named")
    return made


def chosen(names: Sequence[str], known: Sequence[Evaluation] = EVALUATIONS) -> list[Evaluation]:
    """The evaluations of these features; of all for none.

    Raises:
        LookupError: one has none.
    """
    by_name = {one.feature.value: one for one in known}
    if missing := [name for name in names if name not in by_name]:
        raise LookupError(
            f"no cases for {missing[0]}; there are cases for {', '.join(by_name) or 'no feature'}"
        )
    return [by_name[name] for name in names or by_name]


async def run(evaluations: Sequence[Evaluation], settings: AISettings, dsn: str) -> list[Result]:
    """Put all cases to the model of the settings; nothing that was answered before is used."""
    anew = replace(settings, keep_answers=timedelta(0))
    async with throw_away_pair(dsn) as pair:
        asker = Asker(anew, pair.engage)
        return [await evaluate(one, lambda _: asker, pair.engage, _tell) for one in evaluations]


def show(console: Console, results: Sequence[Result], settings: AISettings) -> None:
    """A line a feature."""
    table = Table(title=settings.model, header_style="bold")
    for column in ("feature", "cases", "score", "calls", "tokens in", "tokens out", "cost", "s"):
        table.add_column(column, justify="left" if column == "feature" else "right")
    for one in results:
        table.add_row(
            one.feature.value,
            str(len(one.cases)),
            f"{one.points:.2f}",
            str(one.calls),
            f"{one.tokens_in:,}",
            f"{one.tokens_out:,}",
            "unknown" if one.cost is None else f"{one.cost:.4f} {settings.currency}",
            f"{one.seconds:.1f}",
        )
    console.print(table)


def as_json(results: Sequence[Result], settings: AISettings) -> str:
    """All of it for programs, in one line."""
    told = {
        one.feature.value: {**asdict(one), "score": round(one.points, 4), "cost": _number(one)}
        for one in results
    }
    return json.dumps({"model": settings.model, "features": told}, ensure_ascii=False)


def _number(result: Result) -> float | None:
    return None if result.cost is None else float(result.cost)


def _tell(scored: Scored) -> None:
    why = f"  {scored.why}" if scored.why else ""
    print(f"{scored.points:.2f}  {scored.case}{why}", file=sys.stderr, flush=True)


def main() -> None:
    """Evaluate what the command line names."""
    asked = parser().parse_args()
    try:
        evaluations = chosen(asked.features)
        settings = AISettings.load()
        if settings.model is None and any(one.asks_a_model for one in evaluations):
            raise NoModel
        if not evaluations:
            raise LookupError("no feature has cases")
        with scratch_dsn() as dsn:
            results = asyncio.run(run(evaluations, settings, dsn))
    except (LookupError, NoModel, SettingsError, StackError, BadCases) as error:
        print(f"evaluations: {error}", file=sys.stderr)
        sys.exit(2)
    show(Console(), results, settings)
    print(as_json(results, settings))


if __name__ == "__main__":
    main()
