"""Exits: conditions that take an account off its way wherever it stands.

An exit that does something, or leads on to a node, is a node of its own in the plan, which no edge leads
to; where a traversal has been there, that exit is spent, so that none can turn in a circle. One that does
nothing of the kind is the end of the journey at once.
"""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from caravan.journeys.conditions.model import Condition
from caravan.journeys.conditions.reach import reach_of_accounts
from caravan.journeys.control import EXIT, Target
from caravan.journeys.reasons import ExitReason


class Exit(BaseModel):
    """``name`` is that of the edge it is taken by, and of its node where it has one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    label: str | None = None
    goal: bool = False
    when: Condition
    acts: bool = False  # has a node: it does something or leads on


def exit_name(label: str | None, number: int) -> str:
    """What an exit is called: by its label; without one, by its number from 1."""
    return f"{EXIT}:{label or number}"


def still_open(exits: Sequence[Exit], visits: Mapping[str, int]) -> list[Exit]:
    """The exits a traversal has not taken yet, in order."""
    return [one for one in exits if one.name not in visits]


def target_of(one: Exit) -> Target:
    """Where an account goes that takes it."""
    return Target(node=one.name) if one.acts else Target(reason=ExitReason.EXIT, label=one.label)


def reach_of(exits: Sequence[Exit]) -> int:
    """How many relations lie between an account and the farthest record that one of its exits asks for."""
    return max((reach_of_accounts(one.when) for one in exits), default=0)
