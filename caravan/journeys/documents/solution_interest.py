"""The document ``solution_interest:``: what an account may buy, with the roles and stages that go with it."""

from pydantic import BaseModel, ConfigDict

from caravan.journeys.conditions.model import Test


class Qualified(BaseModel):
    """What makes a group marketing-qualified: tests on its numbers, ANDed; at least one of them."""

    model_config = ConfigDict(frozen=True)

    completeness: Test | None = None
    engagement: Test | None = None


class SolutionInterestDocument(BaseModel):
    model_config = ConfigDict(frozen=True)

    solution_interest: str
    roles_template: str
    stage_model: str | None = None
    qualified: Qualified | None = None
