"""How far a condition looks: over how many relations, from whoever it is about, to the farthest record it asks for.

An account is one relation away from its people, and two from the other accounts of its people. Whoever keeps
up who meets a condition looks again at everybody within its reach of what has changed. What is answered from
stored members, of a static list or of an audience that is not put in its place, is the subject's own.
"""

from collections.abc import Iterable, Mapping

from caravan.journeys.conditions import model
from caravan.journeys.conditions.model import Condition

#: from a person, whose account is in hand, to that account
BACK = -1


def reach_of_accounts(
    condition: Condition, audiences: Mapping[str, Condition] | None = None
) -> int:
    """The reach of a condition on accounts.

    Args:
        condition: with dynamic lists put in their place.
        audiences: the conditions of those that are put in their place, as for ``compile_condition``.
    """
    return _of_account(condition, audiences or {})


def reach_of_people(condition: Condition, audiences: Mapping[str, Condition] | None = None) -> int:
    """The reach of a condition on people as such, whose accounts are any they have; as above."""
    return _of_person(condition, audiences or {}, in_hand=False)


def _of_account(condition: Condition, audiences: Mapping[str, Condition]) -> int:
    match condition:
        case model.All(of=parts) | model.Any(of=parts):
            return _farthest(_of_account(part, audiences) for part in parts)
        case model.Not(of=part):
            return _of_account(part, audiences)
        case model.People(when=when):
            return max(1, 1 + _of_person(when, audiences, in_hand=True))
        case model.PersonIs() | model.Did():
            return 1
        case model.InAudience(audience=name) if name in audiences:
            return _of_account(audiences[name], _without(name, audiences))
        case model.InList(when=when) if when is not None:
            return _of_account(when, audiences)
        case _:
            return 0


def _of_person(condition: Condition, audiences: Mapping[str, Condition], *, in_hand: bool) -> int:
    """``in_hand``: the account is the one whose people are asked about; else it is any of the person's."""
    to_account = BACK if in_hand else 1
    match condition:
        case model.All(of=parts) | model.Any(of=parts):
            return _farthest(_of_person(part, audiences, in_hand=in_hand) for part in parts)
        case model.Not(of=part):
            return _of_person(part, audiences, in_hand=in_hand)
        case model.AccountIs() | model.HasOpportunity() | model.RoleInAccount() | model.MemberOf():
            return max(0, to_account)
        case model.InAudience(audience=name) if name in audiences:
            return _of_person(audiences[name], _without(name, audiences), in_hand=False)
        case model.InList(of="accounts", when=when):
            there = _of_account(when, audiences) if when is not None else 0
            return max(0, to_account + there)
        case model.InList(of="people", when=when) if when is not None:
            return _of_person(when, audiences, in_hand=False)
        case _:
            return 0


def _farthest(reaches: Iterable[int]) -> int:
    return max(reaches, default=0)


def _without(name: str, audiences: Mapping[str, Condition]) -> dict[str, Condition]:
    """The compiler puts an audience into itself no more often than once."""
    return {slug: one for slug, one in audiences.items() if slug != name}
