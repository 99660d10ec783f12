"""What the settings of services come to: which hosts may be asked."""

from caravan.services.hosts import AllowedHosts, BadHosts
from caravan.settings import SettingsError


def allowed_hosts(written: str) -> AllowedHosts:
    """The hosts that may be asked, as SERVICE_HOSTS names them.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        return AllowedHosts.parse(written)
    except BadHosts as error:
        raise SettingsError(f"The setting SERVICE_HOSTS is wrong: {error}") from None
