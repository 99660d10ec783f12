"""What the settings of mail come to: the relay, who may be written to, the signature, the return path."""

import re

from caravan.delivery.allowed_recipients import AllowedRecipients, BadRecipients
from caravan.delivery.dkim_signing import BadDkim, DkimSigner
from caravan.delivery.return_path import ReturnPath
from caravan.delivery.smtp import SmtpTransport
from caravan.settings import Settings, SettingsError

_DOMAIN = re.compile(r"(?=.{1,200}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+", re.IGNORECASE)


def relay(settings: Settings) -> SmtpTransport:
    """Where mail is handed over.

    Raises:
        SettingsError: SMTP_URL or SMTP_TLS is wrong; it may hold a password and is not repeated.
    """
    try:
        return SmtpTransport(settings.smtp_url, tls=settings.smtp_tls)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def allowed_recipients(settings: Settings) -> AllowedRecipients | None:
    """Who may be written to at all; None: everybody.

    Raises:
        SettingsError: ALLOW_RECIPIENTS cannot be read.
    """
    if settings.allow_recipients is None:
        return None
    try:
        return AllowedRecipients.parse(settings.allow_recipients)
    except BadRecipients as error:
        raise SettingsError(
            f"The setting ALLOW_RECIPIENTS is wrong: {error}; it looks like @us.example, "
            "person@x.example"
        ) from None


def signer(settings: Settings) -> DkimSigner | None:
    """Who signs; None: the relay, or nobody.

    Raises:
        SettingsError: the DKIM settings are not all there, or one is wrong.
    """
    given = {
        "DKIM_DOMAIN": settings.dkim_domain,
        "DKIM_SELECTOR": settings.dkim_selector,
        "DKIM_KEY": settings.dkim_key,
    }
    if not any(given.values()):
        return None
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise SettingsError(
            f"{missing[0]} is not set: DKIM takes DKIM_DOMAIN, DKIM_SELECTOR and DKIM_KEY "
            "(or DKIM_KEY_FILE) together"
        )
    try:
        return DkimSigner.of(
            settings.dkim_domain or "", settings.dkim_selector or "", settings.dkim_key
        )
    except BadDkim as error:
        raise SettingsError(str(error)) from None


def return_path(settings: Settings) -> ReturnPath | None:
    """Where bounces go; None: to the sender of each message.

    Raises:
        SettingsError: RETURN_PATH_DOMAIN is no domain, or nothing is there to make addresses with.
    """
    domain = settings.return_path_domain
    if domain is None:
        return None
    if not _DOMAIN.fullmatch(domain):
        raise SettingsError(
            "The setting RETURN_PATH_DOMAIN is wrong: it looks like bounces.us.example"
        )
    if not settings.gateway_secret:
        raise SettingsError(
            "GATEWAY_SECRET is not set: the addresses at RETURN_PATH_DOMAIN are made with it"
        )
    return ReturnPath(domain, (settings.gateway_secret,))
