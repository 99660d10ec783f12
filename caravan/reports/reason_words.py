"""Why, in words: what decided a path, why something was not done, why a journey is paused.

``--format json`` has the keys and values of what decided as they were kept.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from caravan.journeys.conditions.operators import OPERATORS
from caravan.reports.readable import readable

#: ``person(job_title starts_with Chief)``, and ``people (2)``: the second of that label
_LABEL = re.compile(r"(?P<name>[a-z_]+)(?:\((?P<about>.*?)\))?(?: \((?P<number>\d+)\))?", re.DOTALL)
_OPERATOR = re.compile(
    rf" ({'|'.join(sorted({name for names in OPERATORS.values() for name in names}))}) "
)
#: nobody asks why; the relay's friendly words would only be in the way
FINE = ("accepted", "done")


def in_words(because: Mapping[str, Any]) -> list[str]:
    """One phrase for each value that a condition, a draw, an event or an answer has left."""
    return [_phrase(key, value) for key, value in because.items() if value is not None]


def _phrase(key: str, value: Any) -> str:
    entity, dot, field = key.partition(".")
    if dot and entity in ("account", "person"):
        return f"{entity}'s {field} is {readable(value) or 'empty'}"
    if dot and entity == "accessor":
        return f"{field} is {readable(value)}"
    if key.startswith("counted "):
        return f"{readable(key.removeprefix('counted '))} had {value}"
    parts = _LABEL.fullmatch(key)
    if parts is None or parts["name"] not in _WORDS:
        return f"{readable(key)} {readable(value)}"
    return _WORDS[parts["name"]](_OPERATOR.sub(_spelled, readable(parts["about"] or "")), value)


def _spelled(operator: re.Match[str]) -> str:
    return operator[0].replace("_", " ")


def _did(about: str, value: Any) -> str:
    times = {0: "never", 1: "once"}.get(value, f"{value} times")
    return f"{about}: {times}"


def _group(about: str, value: Any) -> str:
    """The group that was looked at: the one that fits, or the nearest, by what it had at that moment."""
    shown = {key: one for key, one in value.items() if key not in ("group", "solution_interest")}
    had = ", ".join(
        f"{key.replace('_', ' ')} {readable(one)}" for key, one in shown.items() if one is not None
    )
    asked = f" (asked: {about})" if about else ""
    return f"group {value.get('group')} of {value.get('solution_interest')}: {had}{asked}"


_WORDS: dict[str, Callable[[str, Any], str]] = {
    "did": _did,
    "person": lambda about, value: f"person {readable(value)}" + (f" ({about})" if about else ""),
    "opportunity": lambda about, value: f"opportunity {readable(value)} ({about})",
    "people": lambda _, value: f"{value} {'person fits' if value == 1 else 'people fit'}",
    "buying_group": _group,
    "member_of": _group,
    "role_in_account": lambda _, value: f"roles {readable(value)}",
    "account_list": lambda about, value: f"{'in' if value else 'not in'} the list {about}",
    "people_list": lambda about, value: f"{'in' if value else 'not in'} the list {about}",
    "hundredth": lambda _, value: f"in hundredth {value} of 0 to 99",
    "until": lambda _, value: f"until {readable(value)}",
    "event_at": lambda _, value: f"at {readable(value)}",
    "activity": lambda _, value: f"activity {value}",
    "reason": lambda _, value: readable(value),
    "fault": lambda _, value: f"{readable(value)}: another zone was taken",
}


def reason(effect: Mapping[str, Any]) -> str | None:
    """The reason of an effect; the relay's words for one it refused or delayed."""
    fine = effect["state"] in FINE
    told: str | None = effect["reason"] or (None if fine else effect["reply"])
    return told


def with_reason(effect: Mapping[str, Any]) -> dict[str, Any]:
    """An effect as a table shows it; for programs reason and reply stay apart."""
    return {**effect, "reason": reason(effect)}


def paused_in_words(version: Mapping[str, Any]) -> str | None:
    """Of a version's row; None where it is not paused."""
    if version["paused_at"] is None:
        return None
    why = version["paused_why"]
    by = f" because its messages fail: {why}" if version["paused_by"] == "failures" else ""
    return f"paused since {readable(version['paused_at'])}{by}"
