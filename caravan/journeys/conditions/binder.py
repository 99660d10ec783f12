"""The parameters of generated SQL: values known now, and named ones bound when it runs.

Domain time is bound too, and so is every instant that is computed from it: durations are reckoned by
``caravan.journeys.time`` alone, in the zone of the place, never by the database.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class _Slot:
    """One parameter: a value, or a name whose value ``derive`` may still turn into another."""

    value: Any = None
    name: str | None = None
    derive: Callable[[Any], Any] | None = None


class Binder:
    """Hands out ``$n`` placeholders; the same value or name gets the same one again.

    Compiled text is therefore stable, can be cached, and is prepared once per connection.

    Args:
        zone: whose days and clock times the conditions of this text mean.
    """

    def __init__(self, zone: str = "UTC") -> None:
        self.zone = zone
        self._slots: list[_Slot] = []
        self._known: dict[tuple[str, str, str], int] = {}

    def named(self, name: str, kind: str) -> str:
        """A parameter bound at each run: ``as_of``, ``entered_at``, ``account_id`` …"""
        return self._place(("named", name, kind), _Slot(name=name))

    def derived(self, name: str, kind: str, what: str, derive: Callable[[Any], Any]) -> str:
        """A parameter computed from a named one at each run; ``what`` tells it from others."""
        key = ("derived", f"{name} {what} {self.zone}", kind)
        return self._place(key, _Slot(name=name, derive=derive))

    def literal(self, value: Any, kind: str) -> str:
        """A value of the document; never spliced into the text."""
        return self._place(("literal", repr(value), kind), _Slot(value))

    def in_zone(self, zone: str) -> "Binder":
        """The same parameters, for a part of the text that means another zone's days."""
        other = type(self)(zone)
        other._slots, other._known = self._slots, self._known
        return other

    def args(self, **values: Any) -> list[Any]:
        """The positional arguments; names the text does not use are ignored.

        Raises:
            KeyError: a named parameter has no value.
        """
        return [self._bound(slot, values) for slot in self._slots]

    def _bound(self, slot: _Slot, values: Mapping[str, Any]) -> Any:
        if slot.name is None:
            return slot.value
        value = values[slot.name]
        return value if slot.derive is None else slot.derive(value)

    def _place(self, key: tuple[str, str, str], slot: _Slot) -> str:
        if key not in self._known:
            self._slots.append(slot)
            self._known[key] = len(self._slots)
        return f"${self._known[key]}::{key[2]}"


class RowsBinder(Binder):
    """The same for many rows in one statement: what is named stands for a column of ``given``.

    The text is put beside ``given`` by ``cross join lateral``; literals stay parameters.
    """

    def given(self) -> str:
        """The rows as a source of the statement, with their ``place`` among them, from 1."""
        named = {
            place: kind for (_, _, kind), place in self._known.items() if self._is_named(place)
        }
        arrays = ", ".join(f"${place}::{kind}[]" for place, kind in named.items())
        columns = ", ".join(f"v{place}" for place in named)
        return f"unnest({arrays}) with ordinality as given ({columns}, place)"

    def args_of(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """The positional arguments for these rows."""
        return [
            slot.value if slot.name is None else [self._bound(slot, row) for row in rows]
            for slot in self._slots
        ]

    def _is_named(self, place: int) -> bool:
        return self._slots[place - 1].name is not None

    def _place(self, key: tuple[str, str, str], slot: _Slot) -> str:
        parameter = super()._place(key, slot)
        return parameter if slot.name is None else f"given.v{self._known[key]}"
