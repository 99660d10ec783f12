"""The limits that an installation may set: the one place that names them, with what they are by default.

Readers of documents get them as values (``Fields.limits``); which variable of the environment sets them is the
affair of ``caravan/limit_settings.py``. A journey that is published keeps to the limits of its day.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

#: what the variable of a limit begins with
PREFIX = "LIMIT_"


def _limit(default: int, most: int, what: str, where: str) -> Any:
    """A limit: its default, the most it may be set to, what it counts, and where it is looked at."""
    return Field(default, ge=1, le=most, description=what, json_schema_extra={"where": where})


class Limits(BaseModel):
    """The published numbers of product.md §11 that apply, and what else an operator may want to set."""

    model_config = ConfigDict(frozen=True)

    custom_fields: int = _limit(
        100, 1_000, "managed custom fields of an entity", "`fields` of the workspace"
    )
    journey_years: int = _limit(
        3, 10, "years from a journey's start to its end", "`schedule` of a journey"
    )
    journey_name: int = _limit(100, 200, "characters of a journey's name", "`name` of a journey")
    split_paths: int = _limit(25, 100, "paths of a split, a call or a decide", "`paths`")
    variant_paths: int = _limit(20, 99, "paths of variants", "`paths` of `variants`")
    call_minutes: int = _limit(240, 240, "minutes a call may take", "`timeout` of a call")
    moment_text: int = _limit(
        140, 140, "characters of an interesting moment", "`text` of the two actions"
    )
    sms_text: int = _limit(1_600, 1_600, "characters of a text message", "`text` of `send_sms`")
    status_text: int = _limit(
        50,
        50,
        "characters of a buying group's status",
        "`status`, and `caravan buying-group set-status`",
    )
    roles: int = _limit(20, 100, "roles of a roles template", "`roles`")
    personas: int = _limit(20, 100, "personas of a workspace", "documents `persona`")
    bulk_people: int = _limit(
        50, 1_000, "people of one command", "`caravan buying-group assign` and `remove`"
    )
    email_fragments: int = _limit(30, 300, "fragments an e-mail takes in", "templates")
    email_kilobytes: int = _limit(
        100, 1_024, "KB of an e-mail without the warning `email-too-large`", "templates"
    )
    communication_rules: int = _limit(
        20, 100, "limits of a document", "`limits` of `communication_limits`"
    )
    quiet_periods: int = _limit(
        20, 100, "quiet hours of a document", "`quiet_hours` of `communication_limits`"
    )
    account_name: int = _limit(255, 1_000, "characters of an account's name", "`caravan import`")
    event_fields: int = _limit(
        100,
        1_000,
        "fields of an event",
        "`caravan import`, `caravan event send`, `POST /events`",
    )

    def over(self, name: str) -> str:
        """How a refusal ends: which limit it is, and what would raise it."""
        return f"(limit {name} is {getattr(self, name)}, setting {setting_of(name)})"


def setting_of(name: str) -> str:
    """The variable that sets a limit: ``split_paths`` is ``LIMIT_SPLIT_PATHS``."""
    return f"{PREFIX}{name.upper()}"


#: what holds where nobody has set anything
USUAL = Limits()
