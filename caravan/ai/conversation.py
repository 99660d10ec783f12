"""One question put to a model: asked for in a shape, checked, and put again where the answer is wrong.

Slow to import, for pydantic-ai is: only ``caravan.ai.asking`` does, when there is something to ask.
"""

from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic_ai import (
    Agent,
    AgentRetries,
    ModelRetry,
    ModelSettings,
    NativeOutput,
    PromptedOutput,
    RunContext,
    ToolOutput,
    UsageLimits,
)
from pydantic_ai.exceptions import ContentFilterError, UnexpectedModelBehavior
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModelSettings
from pydantic_ai.toolsets import FunctionToolset, ToolsetTool, WrapperToolset

from caravan.ai.fencing import RULE, fenced
from caravan.ai.question import Question
from caravan.ai_settings import AISettings, Output

T = TypeVar("T", bound=BaseModel)

#: how often the provider's client sends a request again that was refused or broke off
SENT_AGAIN = 2
#: providers that keep questions and answers for a month unless a request says otherwise
KEEP_UNLESS_TOLD = ("openai", "azure")

SCHEMA = """\
Answer with one JSON object and nothing else, no code fence around it. It has this JSON Schema:
{schema}"""


class NoneRight(Exception):
    """No answer was of the shape asked for and right."""

    def __init__(self, rounds: int, wrong: str | None) -> None:
        super().__init__(f"no answer of {rounds} was right")
        self.rounds = rounds
        self.wrong = wrong
        """What the check said last; None: it was never asked."""


class FencedTools(WrapperToolset[None]):
    """Whatever a tool returns is fenced: what they read was typed by strangers too, and no tool can forget it."""

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[None], tool: ToolsetTool[None]
    ) -> str:
        return fenced(await super().call_tool(name, tool_args, ctx, tool))


async def converse(model: Model, settings: AISettings, question: Question[T]) -> T:
    """Ask until the answer is right.

    Raises:
        NoneRight: none was, in as many rounds as it has; and whatever else pydantic-ai raises.
    """
    agent = Agent(
        model,
        output_type=_shape(settings, question),
        instructions=f"{question.instructions}\n\n{RULE}",
        toolsets=[FencedTools(FunctionToolset(list(question.tools)))] if question.tools else [],
        retries=AgentRetries(output=question.rounds - 1, tools=question.rounds - 1),
        model_settings=_request(model, settings),
        name="caravan",
    )
    wrong: str | None = None

    @agent.output_validator
    def is_right(value: T) -> T:
        nonlocal wrong
        wrong = question.wrong(value)
        if wrong is not None:
            raise ModelRetry(wrong)
        return value

    limits = UsageLimits(request_limit=question.most_requests)
    try:
        async with agent:  # its connections are closed when the last who uses them is through
            run = await agent.run(fenced(question.facts), usage_limits=limits)
    except ContentFilterError:
        raise
    except UnexpectedModelBehavior as error:
        raise NoneRight(question.rounds, wrong) from error
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
            return ToolOutput(question.shape, name="answer")
        case "native":
            return NativeOutput(question.shape, template=SCHEMA)
        case "prompted":
            return PromptedOutput(question.shape, template=SCHEMA)


def _output(settings: AISettings, question: Question[T]) -> Output:
    """As a tool call where the provider is known to do it well; a server of one's own is asked in both ways that it
    may know, the schema as a constraint and in words, for not all of them call tools."""
    if settings.output is not None:
        return settings.output
    return "native" if settings.base_url is not None and not question.tools else "tool"
