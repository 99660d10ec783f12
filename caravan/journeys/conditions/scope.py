"""What a condition may speak of at its place in a workspace."""

from collections.abc import Iterable, Mapping
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
class Scope:
    """What is known where a condition stands."""

    catalog: FieldCatalog
    store: Literal["platform", "engage"] = "engage"
    audiences: frozenset[str] = frozenset()
    people_audiences: frozenset[str] | None = None  # those of people; None: not checked
    nodes: frozenset[str] = frozenset()
    listens: frozenset[str] = frozenset()  # those of the nodes that listen
    templates: frozenset[str] | None = None  # None: not checked
    in_journey: bool = False
    account_lists: Mapping[str, KnownList] = field(default_factory=dict)
    people_lists: Mapping[str, KnownList] = field(default_factory=dict)


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
