"""An outside service on loopback that speaks the External Actions contract, and misbehaves when told to.

A real HTTP server in the loop of the test.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.contract import faults

Reply = Callable[[], Response]


class Served(uvicorn.Server):
    """A server of the test's own loop: signals are pytest's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Listening:
    """An application on a port of loopback."""

    def __init__(self, app: Any, **options: Any) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1, **options
        )
        self._server = Served(config)
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._socket.close()


class OutsideService(Listening):
    """``requests`` are the bodies it took, each checked against the contract; ``headers`` theirs."""

    def __init__(self, definition: dict[str, Any]) -> None:
        self.definition = definition
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.queries: list[str] = []
        self.faults: list[str] = []
        self.seen = asyncio.Condition()
        self.hold = asyncio.Event()  # cleared: it takes requests and says nothing
        self.hold.set()
        self._instead: dict[str, list[Reply]] = {}
        routes = [
            Route("/getServiceDefinition", self._definition),
            Route("/submitAsyncAction", self._submit, methods=["POST"]),
            Route("/status", self._status),
            Route("/token", self._token, methods=["POST"]),
        ]
        super().__init__(Starlette(routes=routes))

    def instead(self, path: str, *replies: Reply) -> None:
        """Answer so, once each, the next times ``path`` is asked."""
        self._instead.setdefault(path, []).extend(replies)

    async def until(self, requests: int) -> None:
        async with asyncio.timeout(30), self.seen:
            await self.seen.wait_for(lambda: len(self.requests) >= requests)

    def _odd(self, request: Request) -> Response | None:
        replies = self._instead.get(request.url.path)
        return replies.pop(0)() if replies else None

    async def _definition(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        return self._odd(request) or JSONResponse(self.definition)

    async def _submit(self, request: Request) -> Response:
        body = await request.json()
        self.faults += faults("ExecutionRequest", body)
        self.requests.append(body)
        self.headers.append(dict(request.headers))
        self.queries.append(request.url.query)
        odd = self._odd(request)
        async with self.seen:
            self.seen.notify_all()
        await self.hold.wait()
        if odd is not None:
            return odd
        return JSONResponse({"status": "accepted", "requestId": "r-1"}, status_code=201)

    async def _status(self, request: Request) -> Response:
        return self._odd(request) or JSONResponse({"status": "healthy"})

    async def _token(self, request: Request) -> Response:
        form = dict(httpx.QueryParams((await request.body()).decode()))
        if form != {"grant_type": "client_credentials", "client_id": "us", "client_secret": "hush"}:
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        return JSONResponse({"access_token": "t-1", "token_type": "bearer", "expires_in": 600})


async def call_back(
    url: str, token: str | None, body: Any, *, content: bytes | AsyncIterator[bytes] | None = None
) -> httpx.Response:
    """What a service posts, with all headers that the contract asks for."""
    headers = {
        "X-Api-Key": "k",
        "X-Request-Id": "req-1",
        "Authorization": "Bearer b",
        "x-gw-ims-org-id": "org",
        "Content-Type": "application/json",
    }
    if token is not None:
        headers["X-Callback-Token"] = token
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        if content is not None:
            return await client.post(url, headers=headers, content=content)
        assert not faults("CallbackRequest", body)
        return await client.post(url, headers=headers, json=body)
