"""What the roles of a template ask about: the events that may change whom they fit.

Whoever records one of these puts the groups of the accounts in question. What no event tells (relations,
lists, audiences) does so where it is written; what time alone changes is seen by the daily upkeep.
"""

from collections.abc import Iterator

from caravan.journeys.conditions import model
from caravan.journeys.conditions.model import Condition
from caravan.journeys.conditions.naming import walk
from caravan.journeys.documents.roles_template import RolesTemplateDocument


def asked_by(template: RolesTemplateDocument) -> list[str]:
    """The types of activities that may change who plays which role."""
    conditions = (role.when for role in template.roles if role.when is not None)
    return sorted({one for when in conditions for part in walk(when) for one in _types(part)})


def _types(condition: Condition) -> Iterator[str]:
    match condition:
        case model.PersonIs(tests=tests):
            scores = [test.start is not None for test in tests.values()]
            if any(scores):
                yield "score_changed"
            if not all(scores):
                yield "person_changed"
        case model.AccountIs():
            yield "account_changed"
        case model.HasOpportunity():
            yield "opportunity_changed"
        case model.Did(type=kind):
            yield kind
