"""The document ``buying_groups:``, a job: a group for every account of an audience, now and later."""

from collections.abc import Collection

from pydantic import BaseModel, ConfigDict

from caravan.journeys.conditions.scope import Scope, nearest
from caravan.journeys.reading import Fields


class BuyingGroupsDocument(BaseModel):
    model_config = ConfigDict(frozen=True)

    buying_groups: str
    solution_interest: str
    audience: str  # of accounts


def read_buying_groups(
    fields: Fields, interests: Collection[str], scope: Scope
) -> BuyingGroupsDocument | None:
    """From its mapping; None where anything in it is wrong.

    Args:
        fields: the document.
        interests: the solution interests it may name.
        scope: which audiences there are, and which of them are of people.
    """
    slug = fields.slug("buying_groups")
    fields.required("solution_interest")
    fields.required("audience")
    interest, audience = fields.text("solution_interest"), fields.text("audience")
    if interest is not None and interest not in interests:
        fields.problem(
            "unknown-solution-interest",
            "solution_interest",
            f"no solution interest {interest}{nearest(interest, interests)}",
        )
    if audience is not None and audience not in scope.audiences:
        fields.problem(
            "unknown-audience",
            "audience",
            f"no audience {audience}{nearest(audience, scope.audiences)}",
        )
    elif audience is not None and audience in (scope.people_audiences or ()):
        fields.problem(
            "wrong-context",
            "audience",
            f"{audience} is an audience of people; groups are made for accounts",
        )
    if not fields.finish() or slug is None or interest is None or audience is None:
        return None
    return BuyingGroupsDocument(buying_groups=slug, solution_interest=interest, audience=audience)
