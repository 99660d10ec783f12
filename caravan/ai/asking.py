"""Asking a model for a feature: within its switch, its budget and its time, from what is kept where it is.

All of it goes through ``Asker.ask``.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlsplit

import structlog
from pydantic import BaseModel

from caravan.ai import answer_cache
from caravan.ai.budget import Amount, OpenCall, note
from caravan.ai.question import Question
from caravan.ai.unanswered import BudgetSpent, ModelFailed, NoModel, SwitchedOff
from caravan.ai_settings import AISettings
from caravan.database.pool import Pool

if TYPE_CHECKING:
    from pydantic_ai.models import Model

T = TypeVar("T", bound=BaseModel)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What was answered, and what it cost."""

    value: T
    model: str
    """As configured."""
    digest: str
    """Of all that the answer depends on."""
    cached: bool
    tokens_in: int
    tokens_out: int
    cost: Decimal | None
    """In the money of AI_CURRENCY; None: the price is unknown."""
    call: int
    """The row of ``ai_calls``."""


def _real_clock() -> datetime:
    return datetime.now(UTC)


def _server(model: "Model") -> str:
    """Where it is asked, by whichever setting; who may ask there makes no other answer."""
    address = urlsplit(model.base_url or "")
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path}"


class Asker:
    """Asks the model of the settings, on the account of one subscription."""

    def __init__(
        self,
        settings: AISettings,
        engage: Pool,
        *,
        model: "Model | None" = None,
        turns: asyncio.Semaphore | None = None,
        clock: Callable[[], datetime] = _real_clock,
    ) -> None:
        """Nothing is looked up or refused yet.

        Args:
            settings: which model, and how much of it.
            engage: the engage store of the subscription, which keeps budget, log and answers.
            model: asked in place of the settings' one, by tests and evaluation.
            turns: of all who ask in this process; None: it asks alone.
            clock: the real time, which money is spent in.
        """
        self.settings = settings
        self._engage = engage
        self._model = model
        self._turns = turns or asyncio.Semaphore(settings.concurrency)
        self._clock = clock

    async def ask(self, question: Question[T], *, at: datetime, fresh: bool = False) -> Answer[T]:
        """Ask one question.

        Args:
            question: what is asked, and how long that may take.
            at: the instant that the question is about, by which a kept answer is still good or not.
            fresh: ask, whatever is kept.

        Raises:
            NoModel: nothing to ask is set up.
            SwitchedOff: AI_FEATURES leaves the feature out.
            BudgetSpent: today's tokens or money do not suffice.
            ModelFailed: no answer, or none that is right, in its time.
        """
        feature = question.feature
        if feature not in self.settings.features:
            raise SwitchedOff(
                f"AI is switched off for {feature.value}: AI_FEATURES is {self._switched_on()}; add {feature.value} to it"
            )
        within = question.within.total_seconds() if question.within is not None else None
        try:
            async with asyncio.timeout(within) as limit:
                return await self._answer(question, at, fresh)
        except TimeoutError:
            if not limit.expired():
                raise
            message = f"{self._name()} gave no answer within {within:g} s"
            raise ModelFailed(message, is_passing=True) from None

    def _name(self) -> str:
        if self.settings.model is not None:
            return self.settings.model
        return self._model.model_id if self._model is not None else ""

    def _switched_on(self) -> str:
        return ", ".join(sorted(self.settings.features)) or "none"

    async def _ready(self) -> "Model":
        if self._model is None:
            if self.settings.model is None:
                raise NoModel
            models = await asyncio.to_thread(import_module, "caravan.ai.models")  # seconds
            self._model = models.model_of(self.settings)
        await asyncio.to_thread(import_module, "caravan.ai.conversation")
        return self._model

    async def _answer(self, question: Question[T], at: datetime, fresh: bool) -> Answer[T]:
        """What is kept, or else what is asked now and kept."""
        model = await self._ready()
        digest = question.digest(self._name(), _server(model))
        if question.tools:
            return await self._asked(question, model, digest)
        if not fresh:
            kept = await answer_cache.kept(self._engage, digest, question.shape, at)
            if kept is not None and question.wrong(kept) is None:
                return await self._again(question, digest, kept)
        answer = await self._asked(question, model, digest)
        life = self.settings.keep_answers
        if life is None or life > timedelta(0):
            await answer_cache.keep(
                self._engage, digest, question.feature, answer.value, answer.call, at, life
            )
        return answer

    async def _again(self, question: Question[T], digest: str, value: T) -> Answer[T]:
        at = self._clock()
        call = await note(self._engage, question.feature, self._name(), digest, "cached", at)
        nothing = Amount(0, 0, Decimal(0))
        self._tell(question, digest, call, "cached", nothing, timedelta(0))
        return self._told(value, digest, call, nothing, cached=True)

    async def _asked(self, question: Question[T], model: "Model", digest: str) -> Answer[T]:
        """Wait for a turn, and ask: the time of an answer begins then."""
        from caravan.ai.conversation import converse
        from caravan.ai.failures import told
        from caravan.ai.metered import MeteredModel
        from caravan.ai.prices import is_priced

        priced = is_priced(self.settings, model)
        if self.settings.daily_cost is not None and not priced:
            raise NoModel(
                f"AI_DAILY_COST is set, but not what {self._name()} costs: set AI_PRICE_IN and AI_PRICE_OUT to the "
                f"price of a million tokens asked and answered, in {self.settings.currency}"
            )
        async with self._turns:
            began = time.monotonic()
            call = await OpenCall.begin(
                self._engage,
                self.settings,
                question.feature,
                self._name(),
                digest,
                self._clock,
                longest=question.longest(self.settings.timeout),
                is_priced=priced,
            )
            outcome = "failed"
            try:
                metered = MeteredModel(model, self.settings, call)
                value = await converse(metered, self.settings, question)
                outcome = "answered"
            except BudgetSpent:
                outcome = "over-budget"
                raise
            except Exception as error:
                failure = told(error, self.settings)
                if failure is None:
                    raise
                raise failure from None  # what it was raised with may repeat the question
            finally:
                latency = timedelta(seconds=time.monotonic() - began)
                spent = await asyncio.shield(call.close(outcome, latency))
                self._tell(question, digest, call.call, outcome, spent, latency)
        return self._told(value, digest, call.call, spent, cached=False)

    def _told(self, value: T, digest: str, call: int, spent: Amount, *, cached: bool) -> Answer[T]:
        return Answer(
            value,
            self._name(),
            digest,
            cached=cached,
            tokens_in=spent.tokens_in,
            tokens_out=spent.tokens_out,
            cost=spent.cost,
            call=call,
        )

    def _tell(
        self,
        question: Question[T],
        digest: str,
        call: int,
        outcome: str,
        spent: Amount,
        latency: timedelta,
    ) -> None:
        log.info(
            "ai_call",
            call=call,
            feature=question.feature.value,
            model=self._name(),
            outcome=outcome,
            tokens_in=spent.tokens_in,
            tokens_out=spent.tokens_out,
            cost=None if spent.cost is None else float(spent.cost),
            latency_ms=round(latency / timedelta(milliseconds=1)),
            digest=digest[:16],
        )
