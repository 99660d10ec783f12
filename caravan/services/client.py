"""Asking a service: its definition, fetched and checked, and requests that it accepts or does not."""

import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Protocol

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from caravan.journeys.service import FromEnvironment, Scalar, Service
from caravan.services.auth import Login, Logins
from caravan.services.definition import Definition, read_definition
from caravan.services.errors import Refused, ServiceError, Unreachable
from caravan.services.http import Answer, ServiceHttp
from caravan.services.request import JourneyToldOf, Question, execution_request

#: seconds a definition is trusted, and how many are kept
TRUST = 300.0
KEPT = 200

#: accepted; the guide says 200, the reference 201. A service that knows the request already answers 409
ACCEPTED = (200, 201, 202)
KNOWN_ALREADY = 409

_TOKEN = re.compile(r"\{\{\s*([A-Za-z.]+)\s*\}\}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
#: headers that are ours or the connection's: a definition does not set them
OURS = frozenset(
    {
        "host", "content-length", "content-type", "transfer-encoding", "connection", "upgrade", "te",
        "trailer", "expect", "authorization", "cookie", "accept", "accept-encoding", "user-agent",
        "x-request-id", "keep-alive", "proxy-authorization", "proxy-connection",
    }
)  # fmt: skip

log = structlog.get_logger("caravan.services")


class Exchange(Protocol):
    """Who asks: the client here, or a simulation that asks nobody."""

    async def definition(self, service: Service) -> Definition | None:
        """What the service says of itself; None: nothing is known, nothing is checked."""
        ...

    async def submit(
        self, service: Service, definition: Definition | None, question: Question, request_id: str
    ) -> None:
        """Make one request; returns once it is accepted."""
        ...


class _Accepted(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    status: str
    requestId: str


class ServiceClient:
    """Asks services over HTTP."""

    def __init__(self, http: ServiceHttp, secrets: Mapping[str, str]) -> None:
        self._http = http
        self._logins = Logins(http, secrets)
        self._definitions: OrderedDict[str, tuple[Definition, float]] = OrderedDict()

    async def close(self) -> None:
        await self._http.close()

    async def definition(self, service: Service) -> Definition:
        """What the service says of itself, at most ``TRUST`` seconds old.

        Raises:
            TryLater: it cannot be had now.
            Refused: the service says no, or something else.
        """
        key = service.model_dump_json()
        known = self._definitions.get(key)
        if known is not None and time.monotonic() < known[1]:
            return known[0]
        login = await self._logins.at(service)
        answer = await self._http.get(
            f"{service.url}/getServiceDefinition", headers=login.headers, query=login.query
        )
        if answer.status != 200:
            raise self._no(service, answer, "gives no definition")
        definition = read_definition(answer.body)
        self._definitions[key] = (definition, time.monotonic() + TRUST)
        while len(self._definitions) > KEPT:
            self._definitions.popitem(last=False)
        return definition

    async def healthy(self, service: Service) -> bool:
        """Whether the service says that it works."""
        login = await self._logins.at(service)
        answer = await self._http.get(
            f"{service.url}/status", headers=login.headers, query=login.query
        )
        said = answer.body.get("status") if isinstance(answer.body, dict) else None
        return answer.status == 200 and said == "healthy"

    async def submit(
        self, service: Service, definition: Definition | None, question: Question, request_id: str
    ) -> None:
        """Make one request; returns once the service has accepted it.

        The same ``request_id`` and token go with every try, so a service that has it already can tell.

        Raises:
            TryLater: it was not accepted now.
            Refused: it never will be.
        """
        assert definition is not None
        attributes = {
            name: self._logins.secret(value.env) if isinstance(value, FromEnvironment) else value
            for name, value in service.attributes.items()
        }
        login = await self._logins.at(service)
        answer = await self._http.post(
            f"{service.url}/submitAsyncAction",
            headers=_headers(definition, question.journey, login) | {"X-Request-Id": request_id},
            query=login.query,
            body=execution_request(question, service, definition, attributes),
        )
        if answer.status == KNOWN_ALREADY:
            return
        if answer.status not in ACCEPTED:
            raise self._no(service, answer, "does not take the request")
        _check_accepted(answer.body)

    def _no(self, service: Service, answer: Answer, what: str) -> ServiceError:
        """A no, in our words and the contract's code; what else a service says may be personal."""
        code = answer.body.get("code") if isinstance(answer.body, dict) else None
        told = f" ({code})" if isinstance(code, str) and re.fullmatch(r"[A-Z_]{1,50}", code) else ""
        message = f"The service {service.service} {what}: {answer.status}{told}"
        log.info("a service says no", service=service.service, status=answer.status)
        if answer.status == 401 and service.auth is not None and service.auth.scheme == "oauth2":
            self._logins.forget(service)
            return Unreachable(message)
        later = answer.status >= 500 or answer.status in (408, 425, 429)
        return Unreachable(message) if later else Refused(message)


def _check_accepted(body: Any) -> None:
    try:
        accepted = _Accepted.model_validate(body)
    except ValidationError:
        raise Refused("The answer to the request breaks the contract") from None
    if accepted.status != "accepted":
        raise Refused("The answer to the request breaks the contract: status is not accepted")


def _headers(definition: Definition, journey: JourneyToldOf, login: Login) -> dict[str, str]:
    """The headers a definition asks for, with what it may know put in; never one of ours."""
    known: dict[str, Scalar] = {
        "subscription.prefix": journey.munchkin,
        "subscription.munchkinId": journey.munchkin,
        "journey.id": journey.slug,
    }
    ours = OURS | {name.lower() for name in login.headers}
    headers = {}
    for header in definition.invocation.headers:
        value = _TOKEN.sub(lambda match: str(known.get(match[1], "")), header.value)
        fit = _HEADER.fullmatch(header.name) and value.isascii() and value.isprintable()
        if fit and header.name.lower() not in ours and len(value) <= 1000:
            headers[header.name] = value
    return headers | login.headers
