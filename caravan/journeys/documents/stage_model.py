"""The document ``stage_model:``: the stages of a buying group and the ways between them."""

from pydantic import BaseModel, ConfigDict

from caravan.journeys.conditions.scope import nearest
from caravan.journeys.reading import Fields, refuse_doubled
from caravan.journeys.written import as_written, shown

#: stages of one model
MOST_STAGES = 50


class Stage(BaseModel):
    model_config = ConfigDict(frozen=True)

    stage: str
    entry: bool = False  # a group without a stage may begin here
    success: bool = False
    failure: bool = False
    to: tuple[str, ...] = ()


class StageModelDocument(BaseModel):
    model_config = ConfigDict(frozen=True)

    stage_model: str
    stages: tuple[Stage, ...]

    def allows(self, old: str | None, new: str) -> bool:
        """Whether a group may go from a stage, or from none, to another (product.md §3.9).

        A stage that the model no longer has is like none: the group begins anew.
        """
        by_name = {stage.stage: stage for stage in self.stages}
        if new not in by_name:
            return False
        if old is None or old not in by_name:
            return by_name[new].entry
        return new in by_name[old].to


def read_stage_model(fields: Fields) -> StageModelDocument | None:
    """From its mapping; None where anything in it is wrong (product.md §3.9 has the rules)."""
    slug = fields.slug("stage_model")
    fields.required("stages")
    each = fields.each("stages")
    names = [as_written(one.raw["stage"]) for one in each if _is_named(one)]
    stages = tuple(
        stage for stage in (_read_stage(one, names) for one in each) if stage is not None
    )
    refuse_doubled(each, "stage")
    if fields.has("stages"):
        _check_ends(fields, each)
    if len(each) > MOST_STAGES:
        fields.problem("bad-value", "stages", f"a model has at most {MOST_STAGES} stages")
    fine = all(one.fine for one in each)
    if not fields.finish() or not fine or slug is None:
        return None
    return StageModelDocument(stage_model=slug, stages=stages)


def _is_named(fields: Fields) -> bool:
    return not isinstance(fields.raw.get("stage"), dict | list | type(None))


def _read_stage(fields: Fields, names: list[str]) -> Stage | None:
    """A stage; ``names`` are those of all the model's."""
    stage = fields.name("stage")
    entry = fields.boolean("entry", default=False)
    success = fields.boolean("success", default=False)
    failure = fields.boolean("failure", default=False)
    to = _read_ways(fields, stage, names)
    if success and failure:
        fields.problem("bad-value", "failure", "a stage is a success or a failure, not both")
    if success and fields.has("to"):
        fields.problem("bad-value", "to", "nothing leads on from the success")
    if not (success or failure or fields.raw.get("to")):
        fields.problem(
            "dead-end-stage",
            None,
            f"{stage or 'the stage'} leads nowhere; name the next under to:, or make it a"
            " success or a failure",
        )
    if not fields.finish() or stage is None:
        return None
    return Stage(stage=stage, entry=entry, success=success, failure=failure, to=to)


def _read_ways(fields: Fields, stage: str | None, names: list[str]) -> tuple[str, ...]:
    ways = []
    for number, raw in enumerate(fields.items("to")):
        name = "" if isinstance(raw, dict | list) else as_written(raw)
        ways.append(name)
        if name in names and name != stage:
            continue
        fields.fine = False
        place = (*fields.path, "to", number)
        if name not in names:
            near = nearest(name, names)
            fields.report("unknown-stage", place, f"the model has no stage {shown(raw)}{near}")
        else:
            fields.report("bad-value", place, f"{name} cannot lead to itself")
    return tuple(dict.fromkeys(ways))


def _check_ends(fields: Fields, each: list[Fields]) -> None:
    """At least one way in, and one success."""
    if not any(one.raw.get("entry") is True for one in each):
        fields.problem(
            "no-entry-stage", "stages", "no stage has entry: true, so no group can begin"
        )
    successes = [one for one in each if one.raw.get("success") is True]
    if not successes:
        fields.problem("no-success-stage", "stages", "no stage has success: true")
    for one in successes[1:]:
        one.problem("bad-value", "success", "a model has one success; others may be failures")
