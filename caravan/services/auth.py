"""Logging in at a service: a key, a name and password, or a token fetched for client credentials.

Secrets come from the environment by the names the document gives, are used and are never kept in
messages.
"""

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from caravan.journeys.service import ApiKey, Basic, OAuth2, Service
from caravan.services.errors import OperatorsTurn, Refused, Unreachable
from caravan.services.http import ServiceHttp

#: seconds before its end from which a token is not used any more
MARGIN = 30.0
#: how long a token is kept whose end nobody said
USUAL_SECONDS = 300.0


@dataclass(frozen=True)
class Login:
    """What a request bears to be let in."""

    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)


class Logins:
    """Logs in at services; tokens are kept in the process while they last."""

    def __init__(self, http: ServiceHttp, secrets: Mapping[str, str]) -> None:
        self._http = http
        self._secrets = secrets
        self._tokens: dict[OAuth2, tuple[str, float]] = {}

    def secret(self, name: str) -> str:
        """A variable of the environment.

        Raises:
            OperatorsTurn: it is not set, or is one of Caravan's own.
        """
        value = self._secrets.get(name)
        if not value:
            raise OperatorsTurn(f"The variable {name}, which a service names, is not set here")
        if not value.isprintable() or not value.isascii():
            raise OperatorsTurn(f"The variable {name} holds characters no header can have")
        return value

    async def at(self, service: Service) -> Login:
        """The login of a service.

        Raises:
            OperatorsTurn: a secret is not set.
            Unreachable, Refused: no token is to be had.
        """
        match service.auth:
            case ApiKey(place="query") as auth:
                return Login(query={auth.name: self.secret(auth.key_env)})
            case ApiKey() as auth:
                return Login(headers={auth.name: self.secret(auth.key_env)})
            case Basic() as auth:
                pair = f"{self.secret(auth.username_env)}:{self.secret(auth.password_env)}"
                told = base64.b64encode(pair.encode()).decode()
                return Login(headers={"Authorization": f"Basic {told}"})
            case OAuth2() as auth:
                return Login(headers={"Authorization": f"Bearer {await self._token(auth)}"})
        return Login()

    def forget(self, service: Service) -> None:
        """The service did not take its token: fetch a new one next time."""
        if isinstance(service.auth, OAuth2):
            self._tokens.pop(service.auth, None)

    async def _token(self, auth: OAuth2) -> str:
        token, until = self._tokens.get(auth, ("", 0.0))
        if token and time.monotonic() < until - MARGIN:
            return token
        answer = await self._http.post(
            auth.token_url,
            form={
                "grant_type": "client_credentials",
                "client_id": self.secret(auth.client_id_env),
                "client_secret": self.secret(auth.client_secret_env),
            },
        )
        if answer.status >= 500 or answer.status == 429:
            raise Unreachable(f"The token of a service cannot be had: {answer.status}")
        token, lasts = _read_token(answer.body) if answer.status == 200 else ("", 0.0)
        if not token:
            raise Refused(f"The token of a service was refused: {answer.status}")
        self._tokens[auth] = (token, time.monotonic() + lasts)
        return token


def _read_token(body: Any) -> tuple[str, float]:
    if not isinstance(body, dict):
        return "", 0.0
    token, lasts = body.get("access_token"), body.get("expires_in")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        return "", 0.0
    if isinstance(lasts, int | float) and not isinstance(lasts, bool):
        return token, float(lasts)
    return token, USUAL_SECONDS
