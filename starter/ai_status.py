"""``caravan ai status``: which model is set, for what, what today has cost, and the latest calls."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from caravan.ai.spending import Spending, latest_calls, spending
from caravan.ai.unanswered import NOT_SET, NoModel
from caravan.ai_settings import AISettings, Feature
from starter.errors import FAILED, Failed
from starter.output import Format, FormatOption, as_json, plainly, show
from starter.sentences import is_embedded, sentence
from starter.session import Session, SubscriptionOption, run_with

#: of the latest calls, in the table
COLUMNS = (
    "call",
    "at",
    "feature",
    "outcome",
    "requests",
    "tokens_in",
    "tokens_out",
    "cost",
    "latency_ms",
)
MILLION = 1_000_000


def status(
    calls: Annotated[
        int, typer.Option("--calls", help="How many of the latest calls.", min=0, max=1000)
    ] = 10,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Show which model is set, for what it may be asked, what today has cost, and the latest calls.

    Of what was asked nothing is kept but a digest. Asks no model. Exits 1 where the stores cannot be asked.
    """
    settings = AISettings.load()
    told = _model(settings)

    async def body(session: Session) -> tuple[Spending, list[dict[str, Any]]]:
        engage = await session.engage()
        return await spending(engage, datetime.now(UTC)), await latest_calls(engage, calls)

    problem, found = None, None
    latest: list[dict[str, Any]] = []
    try:
        found, latest = run_with(subscription, body)
    except Exception as error:  # the settings are told all the same
        known = sentence(error, embedded=is_embedded())
        if known is None:
            raise
        problem, _ = known
    told |= {"budget": _budget(settings, found), "calls": latest, "problem": problem}
    if form is Format.json:
        print(as_json(told))
    else:
        _print(told, form)
    if problem is not None:
        raise Failed(problem) if form is not Format.json else typer.Exit(FAILED)


def _model(settings: AISettings) -> dict[str, Any]:
    told: dict[str, Any] = {
        "model": settings.model,
        "address": settings.base_url,
        "key": settings.api_key is not None,
        "output": settings.output,
        "timeout_seconds": settings.timeout.total_seconds(),
        "concurrency": settings.concurrency,
        "features": {feature.value: feature in settings.features for feature in Feature},
        "currency": settings.currency,
        "price_in": settings.price_in,
        "price_out": settings.price_out,
        "ready": False,
        "to_set": NOT_SET if settings.model is None else None,
    }
    if settings.model is None:
        return told
    from caravan.ai.models import model_of  # slow to import
    from caravan.ai.prices import amount

    try:
        model = model_of(settings)
    except NoModel as missing:
        return told | {"to_set": str(missing)}
    return told | {
        "ready": True,
        "price_in": amount(settings, model, MILLION, 0).cost,
        "price_out": amount(settings, model, 0, MILLION).cost,
    }


def _budget(settings: AISettings, found: Spending | None) -> dict[str, Any]:
    limits: dict[str, Any] = {
        "tokens_limit": settings.daily_tokens,
        "cost_limit": settings.daily_cost,
    }
    if found is None:
        return limits
    return limits | {
        "day": found.day.isoformat(),
        "tokens_spent": found.tokens,
        "tokens_reserved": found.tokens_reserved,
        "cost_spent": found.cost,
        "cost_reserved": found.cost_reserved,
        "by_feature": found.by_feature,
    }


def _print(told: Mapping[str, Any], form: Format) -> None:
    if told["to_set"] is not None:
        plainly(told["to_set"])
    else:
        at = f" at {told['address']}" if told["address"] else ""
        plainly(f"Model: {told['model']}{at}, {_priced(told)}")
    features = told["features"]
    off = [name for name, is_on in features.items() if not is_on]
    plainly(f"Asked for: {', '.join(name for name in features if name not in off) or 'nothing'}")
    if off:
        plainly(f"Switched off (AI_FEATURES): {', '.join(off)}")
    budget = told["budget"]
    if "day" in budget:
        plainly(_spent(budget, told["currency"]))
        show(budget["by_feature"], form, title="\nToday", empty="nothing was asked")
        rows = [
            {**call, "outcome": call["outcome"] or "under way", "cost": _short(call["cost"])}
            for call in told["calls"]
        ]
        show(rows, form, title="\nLatest calls", columns=COLUMNS, empty="none")


def _priced(told: Mapping[str, Any]) -> str:
    if told["price_in"] is None or told["price_out"] is None:
        return "its price is unknown (AI_PRICE_IN, AI_PRICE_OUT)"
    return f"{told['price_in']:g} {told['currency']} for a million tokens asked, {told['price_out']:g} answered"


def _spent(budget: Mapping[str, Any], currency: str) -> str:
    tokens = f"{budget['tokens_spent']:,} of {budget['tokens_limit']:,} tokens"
    limit = budget["cost_limit"]
    cost = (
        f"{_short(budget['cost_spent'])}{f' of {limit:g}' if limit is not None else ''} {currency}"
    )
    reserved = budget["tokens_reserved"]
    under_way = f"; {reserved:,} tokens reserved by calls under way" if reserved else ""
    return f"Spent on {budget['day']} (UTC): {tokens}, {cost}{under_way}"


def _short(cost: Decimal | None) -> str:
    return "" if cost is None else f"{cost:.4f}"
