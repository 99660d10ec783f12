"""A model whose every request is reserved before it is sent, has AI_TIMEOUT, and is settled when it is over."""

import asyncio
from collections.abc import Sequence

from pydantic_ai import ModelConnectionError, ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from pydantic_core import to_json

from caravan.ai.budget import Amount, OpenCall
from caravan.ai.prices import amount
from caravan.ai_settings import AISettings

#: a token is rarely less, in any language and in JSON: what is reserved is more than what is used
BYTES_OF_A_TOKEN = 2
#: failures before anything was sent
NOT_SENT = ("pool", "connect")


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
            raise
        await self._call.settle(self._spent(response, most))
        return response

    def _most(self, messages: Sequence[ModelMessage], parameters: ModelRequestParameters) -> Amount:
        size = len(ModelMessagesTypeAdapter.dump_json(list(messages))) + len(
            to_json(parameters, fallback=str)
        )
        return amount(
            self._limits, self.wrapped, size // BYTES_OF_A_TOKEN, self._limits.answer_tokens
        )

    def _spent(self, response: ModelResponse, most: Amount) -> Amount:
        usage = response.usage
        if usage.input_tokens or usage.output_tokens:
            return amount(self._limits, self.wrapped, usage.input_tokens, usage.output_tokens)
        # the server keeps its count to itself
        said = len(to_json(response.parts, fallback=str)) // BYTES_OF_A_TOKEN
        return amount(self._limits, self.wrapped, most.tokens_in, said)

    def _nothing(self) -> Amount:
        return amount(self._limits, self.wrapped, 0, 0)


def _cost_nothing(error: BaseException) -> bool:
    """Refused, or never sent. Whatever was cut off may have cost all that was reserved."""
    if isinstance(error, ModelConnectionError):
        return error.phase in NOT_SENT
    return isinstance(error, ModelHTTPError)
