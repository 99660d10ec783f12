"""The gateway as an application: its addresses, and what is said where something is wrong."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from caravan.campaigns.plans import PlanCache
from caravan.database.erasures import ErasureKey
from caravan.delivery.links import LinkKeys
from caravan.delivery.return_path import ReturnPath
from caravan.gateway.bounces import BOUNCES_PATH, BounceEndpoint
from caravan.gateway.callbacks import CallbackEndpoint
from caravan.gateway.errors import guarded, no_such_thing
from caravan.gateway.events import EventIntake
from caravan.gateway.mail_links import MailLinkEndpoints
from caravan.gateway.recorder import Recorder
from caravan.gateway.response_headers import secured
from caravan.gateway.subscriptions import Subscriptions
from caravan.gateway.texts import SmsCallbacks, TextEndpoints
from caravan.journeys.limits import USUAL, Limits
from caravan.services.callback import CALLBACK_PATH
from caravan.stores import Stores


def build_app(
    stores: Stores,
    link_keys: LinkKeys | None = None,
    public_url: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    *,
    bounce_key: str = "",
    return_path: ReturnPath | None = None,
    erasure_key: ErasureKey | None = None,
    texts: SmsCallbacks | None = None,
    limits: Limits = USUAL,
) -> ASGIApp:
    """The application over the stores of all subscriptions.

    Args:
        stores: where it records.
        link_keys: that sign the links of messages; without them there are none.
        public_url: its own address for the outside.
        now: the clock.
        bounce_key: who shows it may bring reports of mail; without one nobody may.
        return_path: reads the addresses that such reports went to.
        erasure_key: by which who was erased is kept out.
        texts: who may tell of text messages; None: nobody.
        limits: of what events may say.
    """
    subscriptions, plans = Subscriptions(stores), PlanCache()
    recorder = Recorder(subscriptions, plans, now)
    callbacks = CallbackEndpoint(subscriptions, now)
    events = EventIntake(subscriptions, now, erasure_key, limits)
    bounces = BounceEndpoint(subscriptions, plans, bounce_key, return_path, now)
    routes = [
        Route("/health", _health, methods=["GET"]),
        Route(CALLBACK_PATH, guarded(callbacks.take), methods=["POST"]),
        Route("/events", guarded(events.take), methods=["POST"]),
        Route(BOUNCES_PATH, guarded(bounces.take), methods=["POST"]),
    ]
    if texts is not None:
        routes += TextEndpoints(subscriptions, plans, texts, now).routes()
    if link_keys is not None:
        routes += MailLinkEndpoints(
            subscriptions, recorder, plans, link_keys, public_url, now
        ).routes()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await recorder.close()

    app = Starlette(
        routes=routes, exception_handlers={HTTPException: no_such_thing}, lifespan=lifespan
    )
    app.router.redirect_slashes = False  # what is no address of ours leads nowhere
    return secured(app)


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "healthy"})
