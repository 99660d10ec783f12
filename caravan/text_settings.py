"""What the settings of text messages come to: the provider they are handed to."""

from urllib.parse import urlsplit

import httpx

from caravan.delivery.sms import STATUS_PATH, SmsProvider, SmsTransport
from caravan.service_settings import allowed_hosts
from caravan.services.errors import ServiceError
from caravan.services.hosts import resolve_host
from caravan.services.http import GuardedTransport
from caravan.settings import Settings, SettingsError


def texts(settings: Settings) -> SmsTransport | None:
    """Where text messages go; nowhere where no provider is named.

    Raises:
        SettingsError: SMS_URL is wrong, or one of the settings is missing.
    """
    given = {
        "SMS_URL": settings.sms_url,
        "SMS_ACCOUNT": settings.sms_account,
        "SMS_TOKEN": settings.sms_token,
        "SMS_FROM": settings.sms_from,
    }
    missing = [name for name, value in given.items() if not value]
    if len(missing) == len(given):
        return None
    if missing:
        raise SettingsError(
            f"{missing[0]} is not set: text messages need all of {', '.join(given)}"
        )
    status_url = f"{settings.public_url}{STATUS_PATH}" if settings.public_url else None
    provider = SmsProvider(
        settings.sms_url, settings.sms_account, settings.sms_token, settings.sms_from, status_url
    )
    if settings.sms_url.startswith("http:") and provider.is_elsewhere:
        raise SettingsError(
            "The setting SMS_URL is wrong: a password would cross the network: https"
        )
    # named by being set; what it resolves to must be public, or be named in SERVICE_HOSTS
    parts = urlsplit(settings.sms_url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = parts.port or (443 if parts.scheme == "https" else 80)
    guarded = GuardedTransport(
        allowed_hosts(f"{settings.service_hosts},{host}:{port}"),
        resolve_host,
        lambda: httpx.AsyncHTTPTransport(trust_env=False, retries=0),
    )
    return SmsTransport(provider, guarded, not_sent=(ServiceError,))
