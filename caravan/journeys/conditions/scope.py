"""What a condition may speak of at its place in a workspace."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from typing import Literal

from caravan.journeys.conditions.model import Condition
from caravan.journeys.fields import FieldCatalog

Context = Literal["account", "person"]


@dataclass(frozen=True)
class KnownList:
    """A list that may be named; ``when`` is a dynamic one's, whatever it names put in its place."""

    dynamic: bool = False
    zone: str = "UTC"
    when: Condition | None = None


@dataclass(frozen=True)
class KnownInterest:
    """The roles and stages that groups of a solution interest may have; None: not checked."""

    roles: frozenset[str] | None
    stages: frozenset[str] | None


@dataclass(frozen=True)
class KnownGroups:
    """What conditions, events and actions may name of buying groups.

    ``roles`` and ``stages`` are those of any template and model, for where no interest is named.
    """

    interests: Mapping[str, KnownInterest] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()

    def roles_of(self, interests: Collection[str]) -> frozenset[str] | None:
        """The roles in groups of these solution interests, of all where none is named."""
        if not interests:
            return self.roles
        return _together([one.roles for one in self._known(interests)])

    def stages_of(self, interests: Collection[str]) -> frozenset[str] | None:
        """The stages of groups of these solution interests, of all where none is named."""
        if not interests:
            return self.stages
        return _together([one.stages for one in self._known(interests)])

    def _known(self, interests: Collection[str]) -> list[KnownInterest]:
        return [self.interests[one] for one in interests if one in self.interests]


def _together(sets: Collection[frozenset[str] | None]) -> frozenset[str] | None:
    known = [one for one in sets if one is not None]
    return frozenset().union(*known) if known and len(known) == len(sets) else None


@dataclass(frozen=True)
class Scope:
    """What is known where a condition stands."""

    catalog: FieldCatalog
    store: Literal["platform", "engage"] = "engage"
    activities_told: bool = False  # the Platform is told what happens in the engage store
    audiences: frozenset[str] = frozenset()
    people_audiences: frozenset[str] | None = None  # those of people; None: not checked
    nodes: frozenset[str] = frozenset()
    listens: frozenset[str] = frozenset()  # those of the nodes that listen
    templates: frozenset[str] | None = None  # None: not checked
    in_journey: bool = False
    account_lists: Mapping[str, KnownList] = field(default_factory=dict)
    people_lists: Mapping[str, KnownList] = field(default_factory=dict)
    groups: KnownGroups | None = None  # None: not checked
    personas: frozenset[str] | None = None  # None: not checked
    of_template: bool = False  # it decides who is in a group, and cannot ask for it


#: comparing with more names than this costs more than the hint is worth
MOST_NAMES = 150


def nearest(name: object, known: Iterable[object]) -> str:
    """`` (did you mean x?)``, or nothing."""
    names = [str(one) for one in islice(known, MOST_NAMES)]
    close = get_close_matches(str(name), names, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def plural(context: Context) -> str:
    """The context as sentences name it."""
    return "accounts" if context == "account" else "people"
