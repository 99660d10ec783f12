"""Serving the gateway: one process, which ends on SIGTERM once what is under way is answered."""

import structlog
import uvicorn

from caravan import mail_settings
from caravan.database.erasures import ErasureKey
from caravan.gateway.app import build_app
from caravan.gateway.texts import SmsCallbacks
from caravan.limit_settings import read_limits
from caravan.settings import Settings, SettingsError
from caravan.stores import Stores

#: it records, and reaches for nothing else
NEEDED = ("platform_dsn", "engage_dsn")

#: connections that may be open, those among them that wait for a next request; more are told to come back
AT_ONCE = 2_000

log = structlog.get_logger("caravan.gateway")


def listen_address(text: str) -> tuple[str, int]:
    """Host and port of GATEWAY_LISTEN.

    Raises:
        SettingsError: it is neither.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise SettingsError("The setting GATEWAY_LISTEN is wrong: it looks like 127.0.0.1:8088")
    return host.strip("[]"), int(port)


def sms_callbacks(settings: Settings) -> SmsCallbacks | None:
    """Who may tell of text messages; nobody where SMS_TOKEN is not set."""
    if not settings.sms_token:
        return None
    return SmsCallbacks(settings.sms_token, settings.public_url)


async def serve(settings: Settings) -> None:
    """Answer until told to stop.

    Raises:
        SettingsError: it cannot listen there.
    """
    host, port = listen_address(settings.gateway_listen)
    keys = mail_settings.link_keys(settings)
    if keys is None:
        log.warning("LINK_KEYS is not set: the links of messages lead nowhere")
    stores = Stores(
        settings.platform_dsn,
        settings.engage_dsn,
        pool_size=min(settings.pool_size, 8),
        statement_cache=settings.statement_cache,
    )
    server = uvicorn.Server(
        uvicorn.Config(
            build_app(
                stores,
                keys,
                settings.public_url,
                bounce_key=settings.bounce_key,
                return_path=mail_settings.return_path(settings),
                erasure_key=ErasureKey(settings.erasure_key) if settings.erasure_key else None,
                texts=sms_callbacks(settings),
                limits=read_limits(),
            ),
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            ws="none",
            limit_concurrency=AT_ONCE,
            timeout_graceful_shutdown=10,
        )
    )
    try:
        await server.serve()
    except SystemExit:  # uvicorn's way of saying that the address cannot be had
        raise SettingsError(
            f"Nothing can listen on {settings.gateway_listen} (setting GATEWAY_LISTEN)"
        ) from None
    finally:
        await stores.close()
