"""Reading a list of actions: each a mapping of one key, its name."""

import re

from caravan.journeys.actions import ACTIONS, Action
from caravan.journeys.actions.base import BaseAction
from caravan.journeys.conditions.counts import MOST
from caravan.journeys.conditions.parse import nearest
from caravan.journeys.fields import ENGAGEMENT
from caravan.journeys.problems import Path
from caravan.journeys.reading import Fields, JourneyScope

#: the code and the reason by which an action on the account is refused
Refusal = tuple[str, str]

_COUNT = re.compile(r"[1-9][0-9]{0,9}")

IN_PEOPLE_SPLIT: Refusal = (
    "account-action-in-people-split",
    "a people split acts on people only; put it before or behind the split",
)


def read_actions(
    fields: Fields,
    scope: JourneyScope,
    *,
    optional: bool = False,
    people_only: bool = False,
    refuse_account: Refusal | None = None,
) -> tuple[Action, ...] | None:
    """The key ``do``: actions, in order; None where any of them is wrong.

    Args:
        fields: the mapping they stand in.
        scope: what they may speak of.
        optional: without the key there are none.
        people_only: they stand in a people split.
        refuse_account: they stand elsewhere where only people are acted upon, and why.
    """
    refusal = IN_PEOPLE_SPLIT if people_only else refuse_account
    raw: object = fields.given("do")
    if not raw and optional:
        return ()
    path, report = (*fields.path, "do"), fields.report
    if not isinstance(raw, list):
        report(
            "bad-value",
            path,
            "do takes a list of actions, such as - send_email: {template: welcome}",
        )
        return None
    actions: list[Action | None] = []
    for number, one in enumerate(raw):
        place: Path = (*path, number)
        if not isinstance(one, dict) or len(one) != 1:
            report(
                "bad-value", place, "an action is one key, such as send_email: {template: welcome}"
            )
            actions.append(None)
            continue
        [(name, given)] = one.items()
        if name not in ACTIONS:
            report("unknown-key", (*place, name), f"no action {name}{nearest(str(name), ACTIONS)}")
            actions.append(None)
        elif refusal is not None and ACTIONS[name].context == "account":
            code, why = refusal
            report(code, (*place, name), f"{name} acts on the account; {why}")
            actions.append(None)
        else:
            inside = fields.within(given or {}, "do", number, name)
            actions.append(_read_action(ACTIONS[name], inside, scope))
    return None if None in actions else tuple(action for action in actions if action is not None)


def _read_action(kind: type[BaseAction], fields: Fields, scope: JourneyScope) -> Action | None:
    values = kind.read(fields, scope)
    if kind.context == "person":
        values["who"] = fields.condition("who", "person", scope.conditions)
        values["top"] = read_top(fields)
    if not fields.finish():
        return None
    action: Action = kind.model_validate(values)  # type: ignore[assignment]
    return action


def read_top(fields: Fields) -> int | None:
    """The key ``top``, ``{3: engagement}``: how many of the people, the most engaged first."""
    raw = fields.mapping("top")
    if fields.raw.get("top") is None:
        return None
    [(count, by)] = raw.items() if len(raw) == 1 else [("", None)]
    number = int(count) if _COUNT.fullmatch(str(count)) else 0
    if by == ENGAGEMENT and 1 <= number <= MOST:
        return number
    fields.problem("bad-value", "top", f"top takes how many by what: {{1: {ENGAGEMENT}}}")
    return None
