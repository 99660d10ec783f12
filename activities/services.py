"""The activity that asks outside services: a thin shell over ``caravan.campaigns.calling``."""

from dataclasses import dataclass

from temporalio import activity

from activities.beating import beating
from activities.domain_time import clock
from activities.failures import told
from activities.replies import reply
from caravan.campaigns import calling
from caravan.campaigns.call_claims import Callbacks
from caravan.campaigns.plans import PlanCache
from caravan.services.client import Exchange
from caravan.stores import Stores
from workflows.contracts import CALL_SERVICE, CallReply, CallRequest


@dataclass(frozen=True)
class ReachedAt:
    """Where services answer, and what their tokens are made of; empty: not set."""

    url: str = ""
    secret: str = ""


class ServiceActivities:
    """``reached`` says how services answer; without it a call waits until the operator sets it."""

    def __init__(
        self, stores: Stores, plans: PlanCache, exchange: Exchange, reached: ReachedAt
    ) -> None:
        self._stores = stores
        self._plans = plans
        self._exchange = exchange
        self._reached = reached

    @activity.defn(name=CALL_SERVICE)
    @told
    async def call(self, request: CallRequest) -> CallReply:
        """Ask, and record that the account waits for the answer."""
        async with beating():
            asked = await calling.ask(
                await self._stores.engage(request.munchkin),
                self._plans,
                self._exchange,
                Callbacks(request.munchkin, self._reached.url, self._reached.secret),
                traversal_id=request.traversal_id,
                step_no=request.step_no,
                now=clock(request.as_of),
                stopping=activity.is_worker_shutdown,
                go_on=request.go_on,
            )
        return reply(CallReply, asked)
