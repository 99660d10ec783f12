"""The activity that has a model decide: a thin shell over ``caravan.campaigns.deciding``."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Self

from temporalio import activity

from activities.beating import beating
from activities.domain_time import clock
from activities.failures import told
from activities.stretches import note
from caravan.ai.asking import Asker
from caravan.ai.deciding import choose
from caravan.ai_settings import AISettings
from caravan.campaigns import deciding
from caravan.campaigns.plans import PlanCache
from caravan.database.pool import Pool
from caravan.stores import Stores
from workflows.contracts import DECIDE, DecideReply, DecideRequest


@dataclass(frozen=True)
class Models:
    """Who asks models on the account of a subscription, by its store; and how much at once."""

    asker: Callable[[Pool], Asker]
    at_once: int

    @classmethod
    def of(cls, settings: AISettings) -> Self:
        """The one that the settings name."""
        return cls(partial(Asker, settings), settings.concurrency)


class DecisionActivities:
    """Without a model, or a word that counts, every account takes ``otherwise``."""

    def __init__(self, stores: Stores, plans: PlanCache, models: Models) -> None:
        self._stores = stores
        self._plans = plans
        self._models = models
        self._askers: dict[str, Asker] = {}

    @activity.defn(name=DECIDE)
    @told
    async def decide(self, request: DecideRequest) -> DecideReply:
        """Have the model decide, and record which path the account takes."""
        async with beating():
            engage = await self._stores.engage(request.munchkin)
            asker = self._askers.setdefault(request.munchkin, self._models.asker(engage))
            decided = await deciding.decide(
                engage,
                self._plans,
                partial(choose, asker),
                traversal_id=request.traversal_id,
                step_no=request.step_no,
                asked_at=request.as_of or datetime.now(UTC),
                now=clock(request.as_of),
                stopping=activity.is_worker_shutdown,
                go_on=request.go_on,
            )
        note(decided.outcomes, decided.ended)
        return DecideReply(
            outcomes=tuple(decided.outcomes),
            ended=decided.ended,
            control=decided.control if decided.moved else None,
            more=decided.more,
            large=decided.large,
            held_until=decided.held_until,
            moved=decided.moved,
        )
