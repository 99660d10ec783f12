"""``caravan limits``: how many and how long things may be here, and which setting says so."""

from typing import Any

from caravan.journeys.limits import USUAL, Limits, setting_of
from caravan.limit_settings import read_limits
from starter.output import Format, FormatOption, show

COLUMNS = ("limit", "value", "default", "most", "what", "where", "setting")


def limits(form: FormatOption = Format.table) -> None:
    """List the limits that are settings: what holds here, the default, and the variable that sets it.

    What is beyond one is refused with its name; an e-mail beyond `email_kilobytes` is only warned of. Others, which
    nobody may set, are in docs/limits.md.
    """
    show(limit_rows(read_limits()), form, columns=COLUMNS)


def limit_rows(here: Limits) -> list[dict[str, Any]]:
    """A row for each limit, in the order in which they are defined."""
    described = Limits.model_json_schema()["properties"]
    return [
        {
            "limit": name,
            "value": getattr(here, name),
            "default": getattr(USUAL, name),
            "most": described[name]["maximum"],
            "what": described[name]["description"],
            "where": described[name]["where"],
            "setting": setting_of(name),
        }
        for name in Limits.model_fields
    ]
