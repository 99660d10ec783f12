"""The limits as the environment sets them: a variable ``LIMIT_…`` each (caravan/journeys/limits.py)."""

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from caravan.journeys.limits import PREFIX, Limits, setting_of
from caravan.settings import SettingsError


class _Environment(Limits, BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore")


def read_limits() -> Limits:
    """The limits that hold here.

    Raises:
        SettingsError: a variable has a value it cannot have; names it and what it takes.
    """
    try:
        return Limits(**_Environment().model_dump())
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        most = Limits.model_json_schema()["properties"][name]["maximum"]
        raise SettingsError(
            f"The setting {setting_of(name)} is wrong: it takes a whole number from 1 to {most}"
        ) from None
