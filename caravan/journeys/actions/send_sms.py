"""The action ``send_sms``: a text message to the mobile phone of each of the people."""

from typing import Literal

from pydantic import Field

from caravan.journeys.actions.base import PeopleAction
from caravan.journeys.actions.liquid_text import check_liquid
from caravan.journeys.reading import Fields, JourneyScope

#: characters of a text message (product.md §5.4); what Liquid makes longer is not sent
LONGEST_SMS = 1600


class SendSms(PeopleAction):
    carrier = "text"

    kind: Literal["send_sms"] = "send_sms"
    text: str
    # left out of plans that do not say it, which so keep their names
    operational: bool = Field(default=False, exclude_if=lambda operational: not operational)

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        fields.required("text")
        said = fields.text("text", limit="sms_text")
        text = said or ""
        if said is not None and not said.strip():
            fields.problem("bad-value", "text", "an empty text message would be sent")
        check_liquid(fields, "text", text, scope, "person")
        return {"text": text, "operational": fields.boolean("operational", default=False)}
