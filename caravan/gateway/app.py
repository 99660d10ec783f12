"""The gateway as an application: its addresses, and what is said where something is wrong."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from caravan.delivery.return_path import ReturnPath
from caravan.gateway.bounces import BOUNCES_PATH, BounceEndpoint
from caravan.gateway.callbacks import CallbackEndpoint
from caravan.gateway.errors import guarded, no_such_thing
from caravan.services.callback import CALLBACK_PATH
from caravan.stores import Stores


def build_app(
    stores: Stores, *, bounce_key: str = "", return_path: ReturnPath | None = None
) -> Starlette:
    """The application over the stores of all subscriptions.

    Args:
        stores: theirs.
        bounce_key: who shows it may bring reports of mail; without one nobody may.
        return_path: reads the addresses that such reports went to.
    """
    callbacks = CallbackEndpoint(stores)
    bounces = BounceEndpoint(stores, bounce_key, return_path)
    return Starlette(
        routes=[
            Route("/health", _health, methods=["GET"]),
            Route(CALLBACK_PATH, guarded(callbacks.take), methods=["POST"]),
            Route(BOUNCES_PATH, guarded(bounces.take), methods=["POST"]),
        ],
        exception_handlers={HTTPException: no_such_thing},
    )


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "healthy"})
