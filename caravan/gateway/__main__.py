"""``python -m caravan.gateway``: the gateway as a process of its own."""

import asyncio
import sys

from caravan.database.errors import StoreError
from caravan.garbage import collect_seldom
from caravan.gateway.server import NEEDED, serve
from caravan.logs import configure_logs
from caravan.settings import Settings, SettingsError


def main() -> None:
    """Serve; exits non-zero with one sentence where it cannot start."""
    try:
        settings = Settings.load(needed=NEEDED)
        configure_logs(settings.log_level, settings.log_format)
        collect_seldom()
        asyncio.run(serve(settings))
    except (SettingsError, StoreError) as error:
        sys.exit(f"gateway: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
