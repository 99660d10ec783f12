"""Reading a list of actions: each a mapping of one key, its name."""

from caravan.journeys.actions import ACTIONS, LATER, Action
from caravan.journeys.conditions.parse import nearest
from caravan.journeys.problems import Path, Report
from caravan.journeys.reading import Fields, JourneyScope


def read_actions(
    raw: object, path: Path, scope: JourneyScope, report: Report, *, people_only: bool = False
) -> tuple[Action, ...] | None:
    """The actions, in order; None where any of them is wrong."""
    if not isinstance(raw, list):
        report(
            "bad-value",
            path,
            "do takes a list of actions, such as - send_email: {template: welcome}",
        )
        return None
    actions: list[Action | None] = []
    for number, one in enumerate(raw):
        place = (*path, number)
        if not isinstance(one, dict) or len(one) != 1:
            report(
                "bad-value", place, "an action is one key, such as send_email: {template: welcome}"
            )
            actions.append(None)
            continue
        [(name, given)] = one.items()
        actions.append(_read_action(str(name), given, (*place, name), scope, report, people_only))
    return None if None in actions else tuple(action for action in actions if action is not None)


def _read_action(
    name: str, raw: object, path: Path, scope: JourneyScope, report: Report, people_only: bool
) -> Action | None:
    if name in LATER:
        report("bad-value", path, f"the action {name} is not supported by this version yet")
        return None
    if name not in ACTIONS:
        report("unknown-key", path, f"no action {name}{nearest(name, ACTIONS)}")
        return None
    kind = ACTIONS[name]
    if people_only and kind.context == "account":
        report(
            "account-action-in-people-split",
            path,
            f"{name} acts on the account; a people split acts on people only",
        )
        return None
    fields = Fields(raw or {}, path, report)
    values = kind.read(fields, scope)
    if kind.context == "person":
        values["who"] = fields.condition("who", "person", scope.conditions)
        fields.later("top")
    if not fields.finish():
        return None
    action: Action = kind.model_validate(values)  # type: ignore[assignment]
    return action
