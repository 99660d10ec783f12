"""The action ``update_opportunity``: a field of the account's opportunities takes a new value."""

from typing import Literal

from caravan.journeys.actions.base import BaseAction
from caravan.journeys.actions.new_value import Value, read_new_value
from caravan.journeys.conditions.model import HasOpportunity
from caravan.journeys.conditions.reading_tests import parse_tests
from caravan.journeys.reading import Fields, JourneyScope


class UpdateOpportunity(BaseAction):
    """Of those that pass all tests of ``which``; of all of them where it is absent."""

    kind: Literal["update_opportunity"] = "update_opportunity"
    which: HasOpportunity
    field: str
    value: Value

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        tests = parse_tests(
            fields.mapping("which"),
            "opportunity",
            (*fields.path, "which"),
            scope.conditions,
            fields.report,
        )
        fields.fine = fields.fine and tests is not None
        which = HasOpportunity(tests=tests or {})
        return {"which": which, **read_new_value(fields, scope, "opportunity")}
