"""What the links of a message lead to: the pixel, the way on, the way out, the message as a page.

A token that we did not sign for this very address is nothing, whatever is wrong with it: the same plain 404,
and nothing is looked up for it.
"""

import base64
from collections.abc import Callable
from datetime import datetime
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from caravan.campaigns.bots import What, agent_verdict
from caravan.campaigns.mail_events import Seen
from caravan.campaigns.plans import PlanCache
from caravan.campaigns.unsubscribing import Source, unsubscribe
from caravan.campaigns.web_view import sender_of, web_view
from caravan.delivery.links import Link, LinkKeys, LinkKind, MailLinks
from caravan.gateway import pages
from caravan.gateway.bodies import whole_body
from caravan.gateway.errors import Refusal, guarded
from caravan.gateway.recorder import Recorder
from caravan.gateway.subscriptions import Subscriptions, TooSoon

#: a picture of one transparent pixel
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
#: bytes of a form, and seconds for all of them to come
LARGEST_FORM, LONGEST = 10_000, 10.0
#: what a mail program posts for its user (RFC 8058 §3.1)
ONE_CLICK = ("List-Unsubscribe", "One-Click")

log = structlog.get_logger("caravan.gateway")


class MailLinkEndpoints:
    """Serves the links of all subscriptions' messages."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        recorder: Recorder,
        plans: PlanCache,
        keys: LinkKeys,
        public_url: str,
        now: Callable[[], datetime],
    ) -> None:
        self._subscriptions = subscriptions
        self._recorder = recorder
        self._plans = plans
        self._keys = keys
        self._public_url = public_url
        self._now = now

    def routes(self) -> list[Route]:
        """Their addresses; HEAD goes with GET."""
        return [
            Route("/o/{token}", guarded(self.opened), methods=["GET"]),
            Route("/c/{token}", guarded(self.clicked), methods=["GET"]),
            Route("/u/{token}", guarded(self.way_out), methods=["GET"]),
            Route("/u/{token}", guarded(self.leave), methods=["POST"]),
            Route("/v/{token}", guarded(self.view), methods=["GET"]),
        ]

    async def opened(self, request: Request) -> Response:
        """The pixel: the message is being shown to somebody, or fetched by something."""
        link = self._read(request, LinkKind.OPENED)
        if link is None:
            return pages.nothing_here()
        await self._record(request, link, "opened")
        return Response(PIXEL, media_type="image/gif")

    async def clicked(self, request: Request) -> Response:
        """On to where the link led when the message was written, and nowhere else."""
        link = self._read(request, LinkKind.CLICKED)
        if link is None or link.url is None:
            return pages.nothing_here()
        await self._record(request, link, "clicked")
        return RedirectResponse(link.url, status_code=302)

    async def way_out(self, request: Request) -> Response:
        """The page that asks; nothing changes by looking at it."""
        link = self._read(request, LinkKind.UNSUBSCRIBE)
        pool = await self._engage(link)
        if link is None or pool is None:
            return pages.nothing_here()
        sender = await sender_of(pool, self._plans, link.message_number)
        return pages.nothing_here() if sender is None else pages.ask_unsubscribe(sender)

    async def leave(self, request: Request) -> Response:
        """The page's button, or one click in a mail program; to do it again changes nothing."""
        link = self._read(request, LinkKind.UNSUBSCRIBE)
        pool = await self._engage(link)
        if link is None or pool is None:
            return pages.nothing_here()
        try:
            fields = await _fields(request)
        except (Refusal, ValueError):
            return PlainTextResponse("This is no form of ours", status_code=400)
        source: Source
        if ONE_CLICK in fields:
            source = "one-click"
        elif (pages.BUTTON, "yes") in fields:
            source = "page"
        else:
            return PlainTextResponse(
                "List-Unsubscribe=One-Click is what is posted here", status_code=400
            )
        sender = await sender_of(pool, self._plans, link.message_number)
        if sender is None or not await self._unsubscribe(pool, link, source):
            return pages.nothing_here()
        log.info("unsubscribed", munchkin=link.munchkin, message=link.message_number, by=source)
        return pages.unsubscribed(sender)

    async def view(self, request: Request) -> Response:
        """The message as a web page."""
        link = self._read(request, LinkKind.VIEW)
        pool = await self._engage(link)
        if link is None or pool is None:
            return pages.nothing_here()
        links = MailLinks(self._public_url, link.munchkin, self._keys)
        html = await web_view(pool, self._plans, links, link.message_number)
        return pages.nothing_here() if html is None else pages.mail_page(html)

    def _read(self, request: Request, kind: LinkKind) -> Link | None:
        return self._keys.read(request.path_params["token"], kind)

    async def _engage(self, link: Link | None) -> Any:
        """The store of a link's subscription; None where it is none of ours, or of those here."""
        if link is None:
            return None
        try:
            return await self._subscriptions.engage_alone(link.munchkin)
        except TooSoon:
            return None

    async def _record(self, request: Request, link: Link, what: What) -> None:
        agent = request.headers.get("user-agent", "")
        seen = Seen(
            what,
            link.message_number,
            self._now(),
            link=link.url,
            bot=agent_verdict(what, request.method, agent),
        )
        await self._recorder.record(link.munchkin, seen)

    async def _unsubscribe(self, pool: Any, link: Link, source: Source) -> bool:
        try:
            return await unsubscribe(pool, self._plans, link.message_number, source, self._now())
        except asyncpg.DeadlockDetectedError:  # its victim; the other has gone on by now
            return await unsubscribe(pool, self._plans, link.message_number, source, self._now())


async def _fields(request: Request) -> list[tuple[str, str]]:
    """The fields of a form, urlencoded or multipart (RFC 8058 §3.2 allows either).

    Raises:
        ValueError: it is neither.
        Refusal: it did not come whole.
    """
    content = await whole_body(request, "the form", largest=LARGEST_FORM, longest=LONGEST)
    kind = request.headers.get("content-type", "")
    media = kind.partition(";")[0].strip().lower()
    if media == "application/x-www-form-urlencoded":
        return parse_qsl(content.decode("utf-8"), keep_blank_values=True, max_num_fields=20)
    if media != "multipart/form-data" or "\r" in kind or "\n" in kind:
        raise ValueError(media)
    head = f"Content-Type: {kind}\r\n\r\n".encode("latin-1")
    message = BytesParser(policy=HTTP).parsebytes(head + content)
    fields = []
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        value = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes):
            fields.append((name, value.decode("utf-8").strip("\r\n")))
    return fields
