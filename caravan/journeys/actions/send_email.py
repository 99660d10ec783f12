"""The action ``send_email``: a template, to each of the people."""

from typing import Literal

from caravan.journeys.actions.base import PeopleAction
from caravan.journeys.conditions.parse import nearest
from caravan.journeys.reading import Fields, JourneyScope


class SendEmail(PeopleAction):
    sends = True

    kind: Literal["send_email"] = "send_email"
    template: str

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        template = fields.text("template")
        if template is None:
            fields.required("template")
        elif template not in scope.templates:
            fields.problem(
                "unknown-template",
                "template",
                f"no e-mail template {template}{nearest(template, scope.templates)}",
            )
        return {"template": template}
