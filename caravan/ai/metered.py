"""A model whose every request is reserved before it is sent, has AI_TIMEOUT, and is settled when it is over."""

import asyncio
from collections.abc import Sequence
from typing import Any

from pydantic_ai import AgentRunError, ModelConnectionError, ModelHTTPError, UserError
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from pydantic_core import PydanticSerializationError, to_json

from caravan.ai.budget import Amount, OpenCall
from caravan.ai.prices import amount
from caravan.ai_settings import AISettings

#: a token is rarely less, in any language and in JSON: what is reserved is more than what is used
BYTES_OF_A_TOKEN = 2
#: a server may count by other tokens, or think past AI_ANSWER_TOKENS; so many times what was reserved it may say
MOST_BELIEVED = 10
#: failures before anything was sent
NOT_SENT = ("pool", "connect")
#: what the provider's client has words for, and what ends a request from outside
SAID = (AgentRunError, UserError, TimeoutError)


class Garbled(Exception):
    """What was to be sent cannot be, or what came back cannot be read; the message is what kind of error said so."""


class MeteredModel(WrapperModel):
    """A model within its budget and its time; BudgetSpent or TimeoutError ends the conversation."""

    def __init__(self, wrapped: Model, settings: AISettings, call: OpenCall) -> None:
        super().__init__(wrapped)
        self._limits = settings
        self._call = call

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        most = self._most(messages, model_request_parameters)
        await self._call.reserve(most)
        try:
            async with asyncio.timeout(self._limits.timeout.total_seconds()):
                response = await self.wrapped.request(
                    messages, model_settings, model_request_parameters
                )
        except BaseException as error:
            spent = self._nothing() if _cost_nothing(error) else most
            await asyncio.shield(self._call.settle(spent))  # whoever cancels may do so again
            if isinstance(error, SAID) or not isinstance(error, Exception):
                raise
            raise Garbled(type(error).__name__) from None  # it may hold the key, or what was asked
        await self._call.settle(self._spent(response, most))
        # what is no text is no answer: it can neither be kept nor be sent back with what is wrong
        _size(response.parts)
        return response

    def _most(self, messages: Sequence[ModelMessage], parameters: ModelRequestParameters) -> Amount:
        told = ModelMessagesTypeAdapter.dump_python(list(messages))
        size = _size(told) + _size(parameters)
        return amount(
            self._limits, self.wrapped, size // BYTES_OF_A_TOKEN, self._limits.answer_tokens
        )

    def _spent(self, response: ModelResponse, most: Amount) -> Amount:
        """As the server counts; where it keeps that to itself, as we do."""
        usage = response.usage
        if not usage.input_tokens and not usage.output_tokens:
            return amount(self._limits, self.wrapped, most.tokens_in, _said(response, most))
        return amount(
            self._limits,
            self.wrapped,
            counted(usage.input_tokens, most.tokens_in),
            counted(usage.output_tokens, most.tokens_out),
        )

    def _nothing(self) -> Amount:
        return amount(self._limits, self.wrapped, 0, 0)


def counted(count: float, most: int) -> int:
    """Tokens that a server says it took; what cannot be counts as the most, and the more it says the more it cost."""
    if not isinstance(count, int) or count < 0:
        return most
    return min(count, MOST_BELIEVED * most)


def _said(response: ModelResponse, most: Amount) -> int:
    try:
        return _size(response.parts) // BYTES_OF_A_TOKEN
    except Garbled:
        return most.tokens_out


def _size(told: Any) -> int:
    """In bytes, as JSON; half a surrogate, which JSON can name and no text can hold, is not sent."""
    try:
        return len(to_json(told, fallback=str))
    except PydanticSerializationError as error:
        kind = type(error).__name__
    raise Garbled(kind)


def _cost_nothing(error: BaseException) -> bool:
    """Refused, or never sent. Whatever was cut off may have cost all that was reserved."""
    if isinstance(error, ModelConnectionError):
        return error.phase in NOT_SENT
    return isinstance(error, ModelHTTPError)
