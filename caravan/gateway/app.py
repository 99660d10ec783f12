"""The gateway as an application: its addresses, and what is said where something is wrong."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from caravan.gateway.callbacks import CallbackEndpoint
from caravan.gateway.errors import guarded, no_such_thing
from caravan.gateway.texts import SmsCallbacks, TextEndpoints
from caravan.services.callback import CALLBACK_PATH
from caravan.stores import Stores


def build_app(stores: Stores, texts: SmsCallbacks | None = None) -> Starlette:
    """The application over the stores of all subscriptions.

    Args:
        stores: where it records.
        texts: who may tell of text messages; None: nobody.
    """
    callbacks = CallbackEndpoint(stores)
    routes = [
        Route("/health", _health, methods=["GET"]),
        Route(CALLBACK_PATH, guarded(callbacks.take), methods=["POST"]),
    ]
    if texts is not None:
        routes += TextEndpoints(stores, texts).routes()
    return Starlette(
        routes=routes,
        exception_handlers={HTTPException: no_such_thing},
    )


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "healthy"})
