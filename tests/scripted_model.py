"""Models that say what a test wrote down: in process, and as an OpenAI-compatible service on loopback.

Both take the same lines, one a request, in order:

* a pydantic model or a mapping: the answer, in whichever way it is asked for (tool call or JSON),
* ``Calls(tool, arguments)``: a call of one of the tools,
* a string: what a model says that keeps to no shape,
* an exception: raised (the service answers 500),
* ``Counts(line, in, out)``: another of these, with so many tokens as the service says;
* ``Fails(status)``: an HTTP status; ``HANG``: no answer at all; ``DROP``: the connection is closed; ``GARBAGE``: 200
  with a body that is none,
* a function of the request (``Asked``) that gives one of these.

Where the lines run out the last is said again.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic_ai import ModelAPIError
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    RetryFeedbackPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import RequestUsage
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.service import Listening

HANG = "\0hang"
DROP = "\0drop"
GARBAGE = "\0garbage"
MODEL = "scripted"


@dataclass(frozen=True)
class Calls:
    """The model calls a tool."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Counts:
    """The service says that an answer took so many tokens."""

    line: Any
    tokens_in: Any
    tokens_out: Any


@dataclass(frozen=True)
class Fails:
    """The service answers with a status."""

    status: int
    body: Any = None


@dataclass(frozen=True)
class Asked:
    """What a model was sent in one request."""

    instructions: str
    user: str  # the facts in their fence, and what was said about earlier answers
    tools: tuple[str, ...]  # that may be called, besides the answer
    returned: tuple[str, ...] = ()  # by tools so far
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def facts(self) -> Any:
        """What is inside the first fence, read as JSON."""
        found = re.search(r"<data-([0-9a-f]{16})>\n(.*)\n</data-\1>", self.user)
        assert found is not None, self.user
        return json.loads(found[2])


Line = (
    BaseModel
    | Mapping[str, Any]
    | Calls
    | Counts
    | Fails
    | str
    | Exception
    | Callable[[Asked], Any]
)


class _Script:
    """``asked`` are the requests so far, in order."""

    def __init__(self, *lines: Line) -> None:
        self.lines = list(lines)
        self.asked: list[Asked] = []

    def _next(self, asked: Asked) -> Any:
        self.asked.append(asked)
        line: Any = self.lines[min(len(self.asked), len(self.lines)) - 1]
        return line(asked) if callable(line) and not isinstance(line, type) else line


class ScriptedModel(_Script):
    """``model`` goes where a pydantic-ai model is asked for (``Asker(…, model=scripted.model)``)."""

    def __init__(self, *lines: Line, tokens_in: int = 100, tokens_out: int = 20) -> None:
        super().__init__(*lines)
        self.usage = RequestUsage(input_tokens=tokens_in, output_tokens=tokens_out)
        self.hold = asyncio.Event()  # cleared: it is asked and says nothing
        self.hold.set()
        self.takes = timedelta(0)  # each answer
        self.at_once = 0
        self.most_at_once = 0
        self.model: Model = FunctionModel(self._answer, model_name=MODEL)

    async def _answer(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        line = self._next(_asked(messages, info))
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await self.hold.wait()
            await asyncio.sleep(self.takes.total_seconds())
            return self._response(line, info)
        finally:
            self.at_once -= 1

    def _response(self, line: Any, info: AgentInfo) -> ModelResponse:
        match line:
            case Exception():
                raise line
            case Fails():
                raise ModelAPIError(MODEL, f"status {line.status}")
            case Calls():
                part: Any = ToolCallPart(line.tool, dict(line.arguments))
            case str():
                part = TextPart(line)
            case _ if info.output_tools:
                part = ToolCallPart(info.output_tools[0].name, json.loads(_json(line)))
            case _:
                part = TextPart(_json(line))
        return ModelResponse([part], usage=self.usage)


class ScriptedService(Listening, _Script):
    """An OpenAI-compatible server: ``AI_BASE_URL`` is its ``base_url``, ``AI_MODEL`` is ``scripted``.

    ``problems`` are what broke the protocol; ``key`` is the one it takes, None: any.
    """

    def __init__(self, *lines: Line, key: str | None = None) -> None:
        _Script.__init__(self, *lines)
        self.key = key
        self.problems: list[str] = []
        self.let_go = asyncio.Event()  # what hangs is answered 503 from here on
        routes = [
            Route("/v1/chat/completions", self._complete, methods=["POST"]),
            Route("/v1/models", self._models),
        ]
        Listening.__init__(self, Starlette(routes=routes))

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def environment(self, **also: str) -> dict[str, str]:
        """The settings that lead to it."""
        return {
            "AI_BASE_URL": self.base_url,
            "AI_MODEL": MODEL,
            "AI_PRICE_IN": "1",
            "AI_PRICE_OUT": "10",
            **also,
        }

    async def stop(self) -> None:
        self.let_go.set()
        await super().stop()

    async def _models(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    async def _complete(self, request: Request) -> Response:
        body = await request.json()
        if self.key is not None and request.headers.get("authorization") != f"Bearer {self.key}":
            return JSONResponse({"error": {"message": "Incorrect API key"}}, 401)
        self._judge(body)
        line = self._next(_asked_over_the_wire(body, dict(request.headers)))
        match line:
            case Fails():
                return JSONResponse(line.body or {"error": {"message": "no"}}, line.status)
            case Exception():
                return JSONResponse({"error": {"message": str(line)}}, 500)
            case "\0hang":
                await self.let_go.wait()
                return JSONResponse({"error": {"message": "late"}}, 503)
            case "\0drop":
                return StreamingResponse(_half(), headers={"content-length": "1000"})
            case "\0garbage":
                return Response("<html>no JSON</html>", media_type="application/json")
            case Counts():
                usage = {
                    "prompt_tokens": line.tokens_in,
                    "completion_tokens": line.tokens_out,
                    "total_tokens": 1,
                }
                return _json_response(_completion(line.line, body) | {"usage": usage})
        return _json_response(_completion(line, body))

    def _judge(self, body: Mapping[str, Any]) -> None:
        if body.get("model") != MODEL:
            self.problems.append(f"model {body.get('model')}")
        if not (body.get("max_tokens") or body.get("max_completion_tokens")):
            self.problems.append("no longest answer")
        for message in body["messages"]:
            if message["role"] not in ("system", "user", "assistant", "tool"):
                self.problems.append(f"role {message['role']}")


@asynccontextmanager
async def serving(*lines: Line, key: str | None = None) -> AsyncIterator[ScriptedService]:
    """A service that runs; whoever broke the protocol fails the test."""
    service = ScriptedService(*lines, key=key)
    await service.start()
    try:
        yield service
    finally:
        await service.stop()
    assert service.problems == []


async def _half() -> AsyncIterator[bytes]:
    """The beginning of an answer, behind which the server closes the connection."""
    yield b'{"id": "chatcmpl-1",'


def _asked(messages: list[ModelMessage], info: AgentInfo) -> Asked:
    user, returned = [], []
    for message in messages:
        for part in message.parts if isinstance(message, ModelRequest) else ():
            match part:
                case UserPromptPart():
                    user.append(str(part.content))
                case ToolReturnPart() if part.tool_name in {
                    tool.name for tool in info.function_tools
                }:
                    returned.append(str(part.content))
                case RetryFeedbackPart():
                    user.append(
                        part.model_response() if hasattr(part, "model_response") else str(part)
                    )
                case _:
                    user.append(str(getattr(part, "content", "")))
    return Asked(
        info.instructions or "",
        "\n".join(user),
        tuple(tool.name for tool in info.function_tools),
        tuple(returned),
    )


def _asked_over_the_wire(body: Mapping[str, Any], headers: Mapping[str, str]) -> Asked:
    def said(*roles: str) -> list[str]:
        return [
            str(message.get("content") or "")
            for message in body["messages"]
            if message["role"] in roles
        ]

    tools = [tool["function"]["name"] for tool in body.get("tools", ())]
    return Asked(
        "\n".join(said("system")),
        "\n".join(said("user")),
        tuple(name for name in tools if name != "answer"),
        tuple(said("tool")),
        headers,
        body,
    )


def _json_response(body: Mapping[str, Any]) -> Response:
    """In ASCII: half a surrogate can be said then."""
    return Response(json.dumps(body), media_type="application/json")


def _completion(line: Any, body: Mapping[str, Any]) -> dict[str, Any]:
    names = [tool["function"]["name"] for tool in body.get("tools", ())]
    message: dict[str, Any] = {"role": "assistant", "content": None}
    if isinstance(line, Calls):
        message["tool_calls"] = [_call(line.tool, json.dumps(dict(line.arguments)))]
    elif isinstance(line, str):
        message["content"] = line
    elif "answer" in names:
        message["tool_calls"] = [_call("answer", _json(line))]
    else:
        message["content"] = _json(line)
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": "tool_calls" if "tool_calls" in message else "stop",
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }


def _call(name: str, arguments: str) -> dict[str, Any]:
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}


def _json(line: Any) -> str:
    if isinstance(line, BaseModel):
        return line.model_dump_json(by_alias=True)
    return json.dumps(dict(line))
