"""Phrases with two texts: as the record is, for people, and as a model is told it, without who anybody is.

They are put together with ``+``, of words of ours, which are the same in both, and of parts that are not. What a model is told
is made when it is asked for: where none is, no text is looked through.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol


class Part(Protocol):
    """What reads otherwise for people than for a model."""

    @property
    def text(self) -> str: ...

    @property
    def told(self) -> str: ...


@dataclass(frozen=True)
class Somebody:
    """A person or an account: by name, and by pseudonym."""

    text: str
    told: str


@dataclass(frozen=True)
class Phrase:
    """Words and parts, in order."""

    parts: tuple[str | Part, ...] = ()

    @cached_property
    def text(self) -> str:
        """For people."""
        return "".join(one if isinstance(one, str) else one.text for one in self.parts)

    @cached_property
    def told(self) -> str:
        """For a model."""
        return "".join(one if isinstance(one, str) else one.told for one in self.parts)

    def __add__(self, behind: "Phrase | str") -> "Phrase":
        return Phrase((*self.parts, *phrase(behind).parts))

    def __radd__(self, before: str) -> "Phrase":
        return Phrase((before, *self.parts))

    def __format__(self, spec: str) -> str:
        raise TypeError("a phrase has two texts: put it together with + rather than in an f-string")


def phrase(words: Phrase | str) -> Phrase:
    """Words of ours, which are told as they are, or what is a phrase already."""
    return words if isinstance(words, Phrase) else Phrase((words,))


def joined(separator: str, phrases: Iterable[Phrase | str]) -> Phrase:
    """One behind the other."""
    parts: list[str | Part] = []
    for one in phrases:
        parts += [separator] if parts else []
        parts += phrase(one).parts
    return Phrase(tuple(parts))
