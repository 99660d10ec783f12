"""An outside service as plans keep it: where it is, how we log in, what goes out and comes in.

Secrets are named, never held: a plan is stored and hashed.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

#: what a call is about; the External Actions contract calls them account, lead and accountPerson
Of = Literal["account", "people", "account_people"]

#: the id a team knows its account or person by, which is no field of the record
OUTSIDE_IDS = {"account": "account_id", "person": "person_id"}


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ApiKey(_Said):
    """A key in a header, or in the query."""

    scheme: Literal["api_key"] = "api_key"
    key_env: str
    name: str = "X-API-Key"
    place: Literal["header", "query"] = "header"


class Basic(_Said):
    scheme: Literal["basic"] = "basic"
    username_env: str
    password_env: str


class OAuth2(_Said):
    """Client credentials: a token is fetched, kept while it lasts and sent as bearer."""

    scheme: Literal["oauth2"] = "oauth2"
    token_url: str
    client_id_env: str
    client_secret_env: str


Auth = Annotated[ApiKey | Basic | OAuth2, Field(discriminator="scheme")]


class FromEnvironment(_Said):
    """An attribute whose value is a secret of the worker's environment."""

    env: str


Scalar = bool | int | float | str


class FieldOf(_Said):
    """A field of the account or of a person."""

    entity: Literal["account", "person"]
    field: str

    @property
    def is_outside_id(self) -> bool:
        return self.field == OUTSIDE_IDS[self.entity]


class Service(_Said):
    """``sends`` and ``takes`` map the service's names of fields to ours."""

    service: str
    url: str
    auth: Auth | None = None
    attributes: dict[str, Scalar | FromEnvironment] = {}
    sends: dict[str, FieldOf] = {}
    takes: dict[str, FieldOf] = {}
