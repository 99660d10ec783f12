"""The action ``send_email``: a template, to each of the people."""

from typing import Literal

from caravan.journeys.actions.base import PeopleAction
from caravan.journeys.actions.known_name import read_known_name
from caravan.journeys.reading import Fields, JourneyScope


class SendEmail(PeopleAction):
    carrier = "mail"

    kind: Literal["send_email"] = "send_email"
    template: str

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        known = scope.templates
        return {"template": read_known_name(fields, "template", known, "e-mail template")}
