"""The document ``stage_model:``: the stages of a buying group and the ways between them."""

from pydantic import BaseModel, ConfigDict


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
