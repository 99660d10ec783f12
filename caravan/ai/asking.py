"""Asking a model for a feature: within its switch, its budget and its time, from what is kept where it is.

All of it goes through ``Asker.ask``. What a prompt says is ours, ``words`` are the operator's, ``facts`` are data
and are shown as such. An answer is a pydantic model, checked; there is no other kind.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import structlog
from pydantic import BaseModel

from caravan.ai import answer_cache
from caravan.ai.budget import Amount, OpenCall, note
from caravan.ai.digests import digest_of
from caravan.ai.features import Feature
from caravan.ai.fencing import fenced
from caravan.ai.prompts import instructions
from caravan.ai.turns import turns
from caravan.ai.unanswered import BudgetSpent, ModelFailed, NoModel, SwitchedOff, Unanswered
from caravan.ai_settings import AISettings
from caravan.database.pool import Pool

if TYPE_CHECKING:
    from pydantic_ai import Tool
    from pydantic_ai.models import Model

__all__ = [
    "Answer",
    "Asker",
    "BudgetSpent",
    "ModelFailed",
    "NoModel",
    "SwitchedOff",
    "Unanswered",
]

T = TypeVar("T", bound=BaseModel)

#: an answer that is wrong is asked for again, so often in all
TRIES = 3

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


class Asker:
    """Asks the model of the settings, on the account of one subscription."""

    def __init__(
        self,
        settings: AISettings,
        engage: Pool,
        *,
        model: "Model | None" = None,
        clock: Callable[[], datetime] = _real_clock,
    ) -> None:
        """Nothing is looked up or refused yet.

        Args:
            settings: which model, and how much of it.
            engage: the engage store of the subscription, which keeps budget, log and answers.
            model: asked in place of the settings' one, by tests and evaluation.
            clock: the real time, which money is spent in.
        """
        self.settings = settings
        self._engage = engage
        self._model = model
        self._clock = clock

    async def ask(
        self,
        feature: Feature,
        prompt: str,
        facts: BaseModel | Mapping[str, Any],
        answer: type[T],
        *,
        at: datetime,
        words: Mapping[str, str] = {},
        tools: "Sequence[Tool[None]]" = (),
        check: Callable[[T], str | None] | None = None,
        tries: int = TRIES,
        fresh: bool = False,
    ) -> Answer[T]:
        """Ask one question.

        Args:
            feature: on whose behalf.
            prompt: the name of a file of ``caravan/ai/prompts``, without ``.md``.
            facts: data of the stores.
            answer: the shape of the answer.
            at: the instant that the question is about, by which a kept answer is still good or not.
            words: the operator's, for the slots of the prompt.
            tools: what the model may call; what they return is shown as data. Such an answer is not kept.
            check: says what is wrong with an answer of the right shape; None: it is right.
            tries: how often a wrong answer is asked for in all.
            fresh: ask, whatever is kept.

        Raises:
            NoModel: nothing to ask is set up.
            SwitchedOff: AI_FEATURES leaves the feature out.
            BudgetSpent: today's tokens or money do not suffice.
            ModelFailed: no answer, or none that is right, within AI_TIMEOUT.
        """
        if feature not in self.settings.features:
            raise SwitchedOff(
                f"AI is switched off for {feature.value}: AI_FEATURES is {self._switched_on()}; add {feature.value} to it"
            )
        model = await self._ready()
        text = instructions(prompt, words)
        digest = digest_of(feature, text, facts, answer, self._name())
        if not tools and not fresh:
            found = await answer_cache.kept(self._engage, digest, answer, at)
            if found is not None and (check is None or check(found.value) is None):
                return await self._again(feature, digest, found.value)
        from caravan.ai.conversation import Question

        question = Question(text, fenced(facts), answer, check, tools, tries)
        value, call, spent = await self._in_turn(feature, digest, model, question)
        if not tools:
            life = self.settings.keep_answers
            if life is None or life > timedelta(0):
                await answer_cache.keep(self._engage, digest, feature, value, call, at, life)
        return Answer(
            value,
            self._name(),
            digest,
            cached=False,
            tokens_in=spent.tokens_in,
            tokens_out=spent.tokens_out,
            cost=spent.cost,
            call=call,
        )

    async def tools(
        self, functions: "Sequence[Callable[..., Awaitable[Any]]]"
    ) -> "list[Tool[None]]":
        """Functions as tools: their docstrings tell the model what they are for."""
        if self._model is None and self.settings.model is None:
            return []  # there is nobody to give them to: ``ask`` says what to set
        pydantic_ai = await asyncio.to_thread(import_module, "pydantic_ai")  # seconds
        return [pydantic_ai.Tool(one, takes_ctx=False) for one in functions]

    def _name(self) -> str:
        if self.settings.model is not None:
            return self.settings.model
        return self._model.model_id if self._model is not None else ""

    def _switched_on(self) -> str:
        return ", ".join(sorted(self.settings.features)) or "none"

    async def _ready(self) -> "Model":
        if self._model is None:
            if self.settings.model is None:
                from caravan.ai.not_set import NOT_SET

                raise NoModel(NOT_SET)
            models = await asyncio.to_thread(import_module, "caravan.ai.models")  # seconds
            self._model = models.model_of(self.settings)
        await asyncio.to_thread(import_module, "caravan.ai.conversation")
        return self._model

    async def _again(self, feature: Feature, digest: str, value: T) -> Answer[T]:
        at = self._clock()
        call = await note(self._engage, feature, self._name(), digest, "cached", at)
        self._tell(feature, digest, call, "cached", Amount(0, 0, Decimal(0)), timedelta(0))
        return Answer(
            value,
            self._name(),
            digest,
            cached=True,
            tokens_in=0,
            tokens_out=0,
            cost=Decimal(0),
            call=call,
        )

    async def _in_turn(
        self, feature: Feature, digest: str, model: "Model", question: Any
    ) -> tuple[Any, int, Amount]:
        """Wait for a turn and ask; both within AI_TIMEOUT, which starts now."""
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
        began = time.monotonic()
        call = await OpenCall.begin(
            self._engage,
            self.settings,
            feature,
            self._name(),
            digest,
            self._clock,
            is_priced=priced,
        )
        outcome = "failed"
        try:
            async with asyncio.timeout(self.settings.timeout.total_seconds()):
                async with turns(self.settings.concurrency):
                    metered = MeteredModel(model, self.settings, call)
                    value = await converse(metered, self.settings, question)
            outcome = "answered"
        except BudgetSpent:
            outcome = "over-budget"
            raise
        except Exception as error:
            failure = told(error, self.settings, question)
            if failure is None:
                raise
            raise failure from None  # what it was raised with may repeat the question
        finally:
            latency = timedelta(seconds=time.monotonic() - began)
            closed = await asyncio.shield(call.close(outcome, latency))
            self._tell(feature, digest, call.call, outcome, closed.spent, latency)
        return value, closed.call, closed.spent

    def _tell(
        self,
        feature: Feature,
        digest: str,
        call: int,
        outcome: str,
        spent: Amount,
        latency: timedelta,
    ) -> None:
        log.info(
            "ai_call",
            call=call,
            feature=feature.value,
            model=self._name(),
            outcome=outcome,
            tokens_in=spent.tokens_in,
            tokens_out=spent.tokens_out,
            cost=None if spent.cost is None else float(spent.cost),
            latency_ms=round(latency / timedelta(milliseconds=1)),
            digest=digest[:16],
        )
