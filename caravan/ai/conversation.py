"""One question put to a model: asked for in a shape, checked, and put again where the answer is wrong.

Slow to import, for pydantic-ai is: only ``caravan.ai.asking`` does, when there is something to ask.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from pydantic_ai import (
    Agent,
    AgentRetries,
    ModelRetry,
    ModelSettings,
    NativeOutput,
    PromptedOutput,
    Tool,
    ToolOutput,
    UsageLimits,
)
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModelSettings
from pydantic_ai.toolsets import FunctionToolset

from caravan.ai.fenced_tools import FencedTools
from caravan.ai.fencing import RULE
from caravan.ai_settings import AISettings, Output

T = TypeVar("T", bound=BaseModel)

#: how often the provider's client sends a request again that was refused or broke off
SENT_AGAIN = 2
#: requests of one question that uses tools
ROUNDS = 12
#: providers that keep questions and answers for a month unless a request says otherwise
KEEP_UNLESS_TOLD = ("openai", "azure")

SCHEMA = """\
Answer with one JSON object and nothing else, no code fence around it. It has this JSON Schema:
{schema}"""


@dataclass
class Question(Generic[T]):
    """What is asked; ``wrong`` is what the check said last."""

    instructions: str
    facts: str
    answer: type[T]
    check: Callable[[T], str | None] | None
    tools: Sequence[Tool[None]]
    tries: int
    wrong: str | None = None


async def converse(model: Model, settings: AISettings, question: Question[T]) -> T:
    """Ask until the answer is right, or raise what pydantic-ai raises."""
    agent = Agent(
        model,
        output_type=_shape(settings, question),
        instructions=f"{question.instructions}\n\n{RULE}",
        toolsets=[FencedTools(FunctionToolset(list(question.tools)))] if question.tools else [],
        retries=AgentRetries(output=question.tries - 1, tools=question.tries - 1),
        model_settings=_request(model, settings),
        name="caravan",
    )

    @agent.output_validator
    def is_right(value: T) -> T:
        question.wrong = question.check(value) if question.check is not None else None
        if question.wrong is not None:
            raise ModelRetry(question.wrong)
        return value

    limits = UsageLimits(request_limit=ROUNDS if question.tools else question.tries)
    async with agent:  # its connections are closed when the last who uses them is through
        run = await agent.run(question.facts, usage_limits=limits)
    value: T = run.output
    return value


def _request(model: Model, settings: AISettings) -> ModelSettings:
    wanted = OpenAIChatModelSettings(
        max_tokens=settings.answer_tokens,
        timeout=settings.timeout.total_seconds(),
        max_retries=SENT_AGAIN,
    )
    if model.system in KEEP_UNLESS_TOLD:
        wanted["openai_store"] = False
    return wanted


def _shape(settings: AISettings, question: Question[T]) -> Any:
    match _output(settings, question):
        case "tool":
            return ToolOutput(question.answer, name="answer")
        case "native":
            return NativeOutput(question.answer, template=SCHEMA)
        case "prompted":
            return PromptedOutput(question.answer, template=SCHEMA)


def _output(settings: AISettings, question: Question[T]) -> Output:
    """As a tool call where the provider is known to do it well; a server of one's own is asked in both ways that it
    may know, the schema as a constraint and in words, for not all of them call tools."""
    if settings.output is not None:
        return settings.output
    return "native" if settings.base_url is not None and not question.tools else "tool"
