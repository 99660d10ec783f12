"""``caravan gateway``: the HTTP edge, in the foreground."""

from caravan.gateway.server import NEEDED, serve
from caravan.logs import configure_logs
from caravan.settings import Settings
from starter.session import run


def gateway() -> None:
    """Serve the gateway: answers of services, links and opt-outs of mail, events, bounces and replies to texts.

    It listens at `GATEWAY_LISTEN` until it is stopped. `PUBLIC_URL` is the address it has for the outside: services
    get it with each call and it stands in the links of mail, so it must lead here. `caravan up` runs one on this machine.
    """
    settings = Settings.load(needed=NEEDED)
    configure_logs(settings.log_level, settings.log_format)
    run(serve(settings))
