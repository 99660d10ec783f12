"""What the settings of mail come to: the relay, who may be written to, the signature, the return path."""

import re
from urllib.parse import urlsplit

from caravan.delivery.allowed_recipients import AllowedRecipients, BadRecipients
from caravan.delivery.dkim_signing import BadDkim, DkimSigner
from caravan.delivery.links import BadLinkKeys, LinkKeys, LinksOf, links_of
from caravan.delivery.rates import BadRates, Rates
from caravan.delivery.return_path import ReturnPath
from caravan.delivery.smtp import SmtpTransport, is_loopback
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


def link_keys(settings: Settings) -> LinkKeys | None:
    """What links of mail are signed with; None: there are none.

    Raises:
        SettingsError: LINK_KEYS cannot be read; it is not repeated.
    """
    if not settings.link_keys:
        return None
    try:
        return LinkKeys.parse(settings.link_keys)
    except BadLinkKeys as error:
        raise SettingsError(f"The setting LINK_KEYS is wrong: {error}") from None


def links(settings: Settings) -> LinksOf | None:
    """How links of mail are made; None: there is no gateway to lead to."""
    keys = link_keys(settings)
    return links_of(settings.public_url, keys) if settings.public_url and keys else None


def withheld(settings: Settings, to: SmtpTransport) -> str | None:
    """Why marketing mail is not to leave; None: it may.

    It does not leave this machine without a way out that leads to the gateway: a `mailto:` is read by a
    person, if at all, and mailboxes ask for one click (RFC 8058).
    """
    if is_loopback(to.host):
        return None
    if not settings.public_url:
        why = "PUBLIC_URL is not set"
    elif is_loopback(urlsplit(settings.public_url).hostname or ""):
        why = f"PUBLIC_URL is {settings.public_url}, which nobody outside this machine can follow"
    elif not settings.link_keys:
        why = "LINK_KEYS is not set"
    else:
        return None
    return (
        f"{why}: marketing mail is kept from {to.host} until its links lead to a gateway. "
        "Set PUBLIC_URL to the address that `caravan gateway` has for the outside, and LINK_KEYS"
    )


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


def rates(settings: Settings) -> Rates | None:
    """How fast mail may leave; None: as fast as it goes.

    Raises:
        SettingsError: SEND_RATES cannot be read.
    """
    try:
        return Rates.parse(settings.send_rates)
    except BadRates as error:
        raise SettingsError(f"The setting SEND_RATES is wrong: {error}") from None
