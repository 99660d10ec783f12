"""The action ``send_sales_alert``: what a salesperson should know of a buying group, by mail."""

from typing import Literal

from caravan.journeys.actions.base import BaseAction
from caravan.journeys.actions.buying_group import read_interest
from caravan.journeys.addresses import is_mailable
from caravan.journeys.conditions.model import Condition
from caravan.journeys.reading import Fields, JourneyScope
from caravan.journeys.written import as_written, shown

#: addresses of one alert
MOST_ADDRESSES = 10


class SendSalesAlert(BaseAction):
    """``members``, which documents call ``about``: whom of the group it tells of; None: of all."""

    carrier = "mail"

    kind: Literal["send_sales_alert"] = "send_sales_alert"
    solution_interest: str
    to: tuple[str, ...]
    members: Condition | None = None

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        return {
            "solution_interest": read_interest(fields, scope),
            "to": _addresses(fields),
            "members": fields.condition("about", "person", scope.conditions),
        }


def _addresses(fields: Fields) -> tuple[str, ...]:
    """The key ``to``: mail addresses, each once."""
    fields.required("to")
    addresses: list[str] = []
    for raw in fields.items("to"):
        address = raw if isinstance(raw, dict | list) else as_written(raw)
        if not isinstance(address, str) or not is_mailable(address):
            fields.problem("bad-value", "to", f"{shown(raw)} is no mail address")
        elif address.casefold() in map(str.casefold, addresses):
            fields.problem("bad-value", "to", f"{address} is named twice")
        else:
            addresses.append(address)
    if fields.has("to") and not 1 <= len(fields.items("to")) <= MOST_ADDRESSES:
        fields.problem("bad-value", "to", f"to takes 1 to {MOST_ADDRESSES} mail addresses")
    return tuple(addresses)
