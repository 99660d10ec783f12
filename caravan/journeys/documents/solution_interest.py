"""The document ``solution_interest:``: what an account may buy, with the roles and stages that go with it."""

from collections.abc import Collection

from pydantic import BaseModel, ConfigDict

from caravan.journeys.conditions.model import Test
from caravan.journeys.conditions.scope import nearest
from caravan.journeys.reading import Fields


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


def read_solution_interest(
    fields: Fields, templates: Collection[str], models: Collection[str]
) -> SolutionInterestDocument | None:
    """From its mapping; None where anything in it is wrong.

    Args:
        fields: the document.
        templates: the roles templates it may name.
        models: the stage models.
    """
    slug = fields.slug("solution_interest")
    fields.required("roles_template")
    template, model = fields.text("roles_template"), fields.text("stage_model")
    if template is not None and template not in templates:
        fields.problem(
            "unknown-roles-template",
            "roles_template",
            f"no roles template {template}{nearest(template, templates)}",
        )
    if model is not None and model not in models:
        fields.problem(
            "unknown-stage-model", "stage_model", f"no stage model {model}{nearest(model, models)}"
        )
    qualified = _read_qualified(fields)
    if not fields.finish() or slug is None or template is None:
        return None
    return SolutionInterestDocument(
        solution_interest=slug, roles_template=template, stage_model=model, qualified=qualified
    )


def _read_qualified(fields: Fields) -> Qualified | None:
    inner = fields.inner("qualified")
    if fields.raw.get("qualified") is None:
        return None
    completeness, engagement = (
        inner.test("completeness", "number"),
        inner.test("engagement", "number"),
    )
    if inner.fine and completeness is None and engagement is None:
        inner.problem("missing-key", None, "qualified tests completeness, engagement or both")
    if not inner.finish():
        fields.fine = False
        return None
    return Qualified(completeness=completeness, engagement=engagement)
