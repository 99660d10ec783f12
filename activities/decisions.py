"""The activity that has a model decide: a thin shell over ``caravan.campaigns.deciding``."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

from temporalio import activity

from activities.askers import Askers
from activities.beating import beating
from activities.domain_time import begun, clock
from activities.failures import told
from activities.replies import reply
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
        return cls(Askers(settings), settings.concurrency)


class DecisionActivities:
    """Without a model, or a word that counts, every account takes ``otherwise``."""

    def __init__(self, stores: Stores, plans: PlanCache, models: Models) -> None:
        self._stores = stores
        self._plans = plans
        self._models = models

    @activity.defn(name=DECIDE)
    @told
    async def decide(self, request: DecideRequest) -> DecideReply:
        """Have the model decide, and record which path the account takes."""
        async with beating():
            engage = await self._stores.engage(request.munchkin)
            decided = await deciding.decide(
                engage,
                self._plans,
                partial(choose, self._models.asker(engage)),
                traversal_id=request.traversal_id,
                step_no=request.step_no,
                asked_at=begun(request.as_of),
                now=clock(request.as_of),
                stopping=activity.is_worker_shutdown,
                go_on=request.go_on,
            )
        return reply(DecideReply, decided)
