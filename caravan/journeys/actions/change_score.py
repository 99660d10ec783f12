"""The action ``change_score``: a score of each person grows, shrinks, or takes a value."""

from typing import Literal

from caravan.journeys.actions.base import PeopleAction
from caravan.journeys.actions.known_name import read_known_name
from caravan.journeys.conditions.counts import MOST
from caravan.journeys.reading import Fields, JourneyScope


class ChangeScore(PeopleAction):
    """``by`` or ``to``, a whole number; ``start`` is what a person has who was given none yet."""

    kind: Literal["change_score"] = "change_score"
    score: str
    start: int
    by: int | None = None
    to: int | None = None

    @classmethod
    def read(cls, fields: Fields, scope: JourneyScope) -> dict[str, object]:
        scores = scope.conditions.catalog.scores
        score = read_known_name(fields, "score", scores, "score")
        by, to = fields.count("by", 0, least=-MOST), fields.count("to", 0, least=-MOST)
        if fields.has("by") == fields.has("to"):
            fields.problem("missing-key", None, "a score changes by: a number, or to: a number")
        return {
            "score": score,
            "start": scores.get(score or "", 0),
            "by": by if fields.has("by") else None,
            "to": to if fields.has("to") else None,
        }
