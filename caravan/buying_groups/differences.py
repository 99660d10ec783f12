"""What has changed between two versions of a document of buying groups, in words. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from pydantic import BaseModel

from caravan.journeys.conditions.model import Test
from caravan.journeys.documents.buying_groups import BuyingGroupsDocument
from caravan.journeys.documents.roles_template import (
    WEIGHTS,
    RolesTemplateDocument,
    TemplateRole,
)
from caravan.journeys.documents.score_model import ScoreModelDocument
from caravan.journeys.documents.solution_interest import Qualified, SolutionInterestDocument
from caravan.journeys.documents.stage_model import Stage, StageModelDocument

Part = TypeVar("Part")

_WEIGHT_NAMES = {weight: name for name, weight in WEIGHTS.items()}


def differences(old: BaseModel, new: BaseModel) -> list[str]:
    """What the new one says otherwise; both are of one kind and bear one slug."""
    match old, new:
        case RolesTemplateDocument(), RolesTemplateDocument():
            return [*_roles(old, new), *_said("days are those of", old.zone, new.zone)]
        case StageModelDocument(), StageModelDocument():
            return list(_stages(old, new))
        case SolutionInterestDocument(), SolutionInterestDocument():
            return [
                *_said("roles template", old.roles_template, new.roles_template),
                *_said("stage model", old.stage_model, new.stage_model),
                *_said("qualified", _qualified(old.qualified), _qualified(new.qualified)),
            ]
        case BuyingGroupsDocument(), BuyingGroupsDocument():
            return [
                *_said("solution interest", old.solution_interest, new.solution_interest),
                *_said("audience", old.audience, new.audience),
            ]
        case ScoreModelDocument(), ScoreModelDocument():
            return list(_scores(old, new))
    raise TypeError(f"{type(old).__name__} and {type(new).__name__} are no two versions of one")


def _roles(old: RolesTemplateDocument, new: RolesTemplateDocument) -> Iterator[str]:
    before = {role.role: role for role in old.roles}
    after = {role.role: role for role in new.roles}
    yield from _by_name("role", before, after, _role)
    if _is_reordered(before, after):
        yield f"the order is {', '.join(after)} (was {', '.join(before)})"


def _role(old: TemplateRole, new: TemplateRole) -> Iterator[str]:
    name = new.role
    yield from _said(f"{name}: weight", _WEIGHT_NAMES[old.weight], _WEIGHT_NAMES[new.weight])
    if old.required != new.required:
        yield f"{name}: {'required' if new.required else 'not required any more'}"
    yield from _said(f"{name}: people needed", old.members_required, new.members_required)
    if old.when != new.when:
        if old.when is None:
            yield f"{name}: has a condition now"
        else:
            yield f"{name}: {'another condition' if new.when else 'no condition any more, filled by hand and by journeys'}"


def _stages(old: StageModelDocument, new: StageModelDocument) -> Iterator[str]:
    before = {stage.stage: stage for stage in old.stages}
    after = {stage.stage: stage for stage in new.stages}
    yield from _by_name("stage", before, after, _stage)
    if _is_reordered(before, after):
        yield f"the order is {', '.join(after)}"


def _stage(old: Stage, new: Stage) -> Iterator[str]:
    for what, is_now, was in (
        ("an entry", new.entry, old.entry),
        ("the success", new.success, old.success),
        ("a failure", new.failure, old.failure),
    ):
        if is_now != was:
            yield f"{new.stage}: {what}" if is_now else f"{new.stage}: not {what} any more"
    if set(old.to) != set(new.to):
        yield from _said(f"{new.stage}: leads to", ", ".join(old.to), ", ".join(new.to))


def _scores(old: ScoreModelDocument, new: ScoreModelDocument) -> Iterator[str]:
    for type_ in sorted(old.weights.keys() | new.weights.keys()):
        yield from _said(f"weight of {type_}", old.weights.get(type_, 0), new.weights.get(type_, 0))
    yield from _said("days of the window", old.window_days, new.window_days)
    yield from _said("daily cap", old.daily_cap, new.daily_cap)
    if old.active != new.active:
        yield "becomes the active one" if new.active else "is not the active one any more"
    yield from _said("days are those of", old.zone, new.zone)


def _by_name(
    what: str,
    before: Mapping[str, Part],
    after: Mapping[str, Part],
    told: Callable[[Part, Part], Iterator[str]],
) -> Iterator[str]:
    """The parts that come and go, then what those that stay say otherwise."""
    yield from (f"{what} {name} is new" for name in after if name not in before)
    yield from (f"{what} {name} is gone" for name in before if name not in after)
    for name, part in after.items():
        if name in before:
            yield from told(before[name], part)


def _is_reordered(before: Mapping[str, Part], after: Mapping[str, Part]) -> bool:
    """Whether the parts that stay stand in another order."""
    return [name for name in before if name in after] != [name for name in after if name in before]


def _said(what: str, old: object, new: object) -> Iterator[str]:
    if old != new:
        yield f"{what} {_or_none(new)} (was {_or_none(old)})"


def _or_none(value: object) -> str:
    return "none" if value is None or value == "" else str(value)


def _qualified(rule: Qualified | None) -> str | None:
    if rule is None:
        return None
    parts = {"completeness": rule.completeness, "engagement": rule.engagement}
    return " and ".join(f"{name} {_test(test)}" for name, test in parts.items() if test is not None)


def _test(test: Test) -> str:
    return " and ".join(
        f"{check.operator.replace('_', ' ')} {' to '.join(map(_number, check.operands))}"
        for check in test.checks
    )


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
