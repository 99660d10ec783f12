"""The document ``service:``: an outside service of the External Actions contract."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from caravan.journeys.conditions.scope import nearest
from caravan.journeys.fields import FieldCatalog
from caravan.journeys.reading import Fields
from caravan.journeys.service import (
    OUTSIDE_IDS,
    ApiKey,
    Auth,
    Basic,
    FieldOf,
    FromEnvironment,
    OAuth2,
    Scalar,
    Service,
)
from caravan.journeys.written import as_written, shown, storable

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
#: the ways to log in, by the keys that say which
WAYS = {
    "api_key_env": ("api_key_env", "header", "query"),
    "username_env": ("username_env", "password_env"),
    "token_url": ("token_url", "client_id_env", "client_secret_env"),
}


def read_service(fields: Fields, catalog: FieldCatalog) -> Service | None:
    """From its mapping; None where anything in it is wrong."""
    slug = fields.slug("service")
    url = _read_url(fields, "url")
    auth = _read_auth(fields.inner("auth")) if fields.has("auth") else None
    attributes = _read_attributes(fields)
    mapping = fields.inner("fields")
    sends = _read_mapping(mapping, "out", catalog, ids=True)
    takes = _read_mapping(mapping, "in", catalog, ids=False)
    _check_written_once(mapping, takes)
    fields.fine = mapping.finish() and fields.fine
    if not fields.finish() or slug is None or url is None:
        return None
    return Service(
        service=slug, url=url, auth=auth, attributes=attributes, sends=sends, takes=takes
    )


def _read_url(fields: Fields, key: str) -> str | None:
    """An address to call: https, or http on this machine; nothing secret or variable in it."""
    if fields.required(key) is None:
        return None
    url = fields.text(key, longest=2000)
    if url is None:
        return None
    why = _unfit(url)
    if why is not None:
        fields.problem("bad-value", key, f"{key} {why}")
        return None
    return url.rstrip("/")


def _unfit(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in ("https", "http") or not host or port == 0:
        return "looks like https://scoring.example/v2"
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return "has characters an address cannot have (write names outside ASCII as xn--…)"
    if "@" in parts.netloc:
        return "holds a name or password; those are named under auth"
    if parts.query or parts.fragment or "?" in url or "#" in url:
        return "ends with its path: no ? and no #"
    if parts.scheme == "http" and not _on_this_machine(host):
        return "must be https; http is for a service on this machine alone"
    return None


def _on_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _read_auth(fields: Fields) -> Auth | None:
    said = [way for way in WAYS if way in fields.raw]
    if len(said) != 1:
        fields.problem(
            "missing-key" if not said else "bad-value",
            None,
            "auth is one of api_key_env · username_env and password_env · "
            "token_url, client_id_env and client_secret_env",
        )
        fields.seen += [key for keys in WAYS.values() for key in keys]
        fields.finish()
        return None
    auth: Auth | None
    match said[0]:
        case "api_key_env":
            auth = _read_api_key(fields)
        case "username_env":
            auth = Basic(
                username_env=_variable(fields, "username_env"),
                password_env=_variable(fields, "password_env"),
            )
        case _:
            auth = OAuth2(
                token_url=_read_url(fields, "token_url") or "",
                client_id_env=_variable(fields, "client_id_env"),
                client_secret_env=_variable(fields, "client_secret_env"),
            )
    return auth if fields.finish() else None


def _read_api_key(fields: Fields) -> ApiKey:
    key_env = _variable(fields, "api_key_env")
    header, query = fields.text("header"), fields.text("query")
    if header is not None and query is not None:
        fields.problem("bad-value", "query", "the key goes into a header or into the query")
    if header is not None and not _HEADER.fullmatch(header):
        fields.problem("bad-value", "header", f"{header!r} is not the name of a header")
    if query is not None:
        return ApiKey(key_env=key_env, name=query, place="query")
    return ApiKey(key_env=key_env, name=header or "X-API-Key")


def _variable(fields: Fields, key: str) -> str:
    """The name of an environment variable."""
    name = fields.text(key) if fields.required(key) is not None else ""
    if name and not _VARIABLE.fullmatch(name):
        fields.problem(
            "bad-value",
            key,
            f"{key} names a variable of the worker's environment, e.g. SCORING_KEY",
        )
    return name or ""


def _read_attributes(fields: Fields) -> dict[str, Scalar | FromEnvironment]:
    read: dict[str, Scalar | FromEnvironment] = {}
    for name, value in fields.mapping("attributes").items():
        if isinstance(value, dict):
            inner = fields.within(value, "attributes", name)
            read[name] = FromEnvironment(env=_variable(inner, "env"))
            fields.fine = inner.finish() and fields.fine
        elif isinstance(value, bool | int | float | str) and storable(as_written(value)):
            read[name] = value
        else:
            fields.fine = False
            fields.report(
                "bad-value",
                (*fields.path, "attributes", name),
                f"{name} takes a text, a number, true or false, or {{env: VARIABLE}}",
            )
    return read


def _read_mapping(
    fields: Fields, key: str, catalog: FieldCatalog, *, ids: bool
) -> dict[str, FieldOf]:
    """``{serviceAttribute: account.name}``."""
    read: dict[str, FieldOf] = {}
    inner = fields.inner(key)
    for name in inner.raw:
        field = _read_field(inner, name, catalog, ids=ids)
        if field is not None:
            read[name] = field
    fields.fine = inner.finish() and fields.fine
    return read


def _read_field(fields: Fields, name: str, catalog: FieldCatalog, *, ids: bool) -> FieldOf | None:
    said = fields.text(name)
    entity, _, field = (said or "").partition(".")
    if entity not in ("account", "person") or not field:
        fields.problem(
            "bad-value", name, f"{shown(said)} is not a field: account.name, person.job_title …"
        )
        return None
    of = FieldOf.model_validate({"entity": entity, "field": field})
    if of.is_outside_id and ids:
        return of
    known = catalog.of(of.entity)
    if field not in known:
        writable = "" if ids or field != OUTSIDE_IDS[entity] else " that can be written"
        fields.problem(
            "unknown-field", name, f"{entity} has no field {field}{writable}{nearest(field, known)}"
        )
        return None
    return of


def _check_written_once(fields: Fields, takes: dict[str, FieldOf]) -> None:
    """Two attributes that are written to one field: which of them counts, nobody could say."""
    written: dict[FieldOf, str] = {}
    for name, field in takes.items():
        if field in written:
            fields.fine = False
            fields.report(
                "duplicate-key",
                (*fields.path, "in", name),
                f"{written[field]} is written to {field.entity}.{field.field} already",
            )
        written[field] = name
