"""The action ``account_interesting_moment``."""

from typing import Literal

from caravan.journeys.actions.base import BaseAction
from caravan.journeys.actions.moment import MomentType, read_interesting_moment
from caravan.journeys.reading import Fields, JourneyScope


class AccountInterestingMoment(BaseAction):
    kind: Literal["account_interesting_moment"] = "account_interesting_moment"
    type: MomentType
    text: str = ""

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        return read_interesting_moment(fields, scope, "account")
