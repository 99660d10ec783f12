"""Personas: whether the default ones tell job titles apart as somebody who knows the language would. Asks no model but
the embedded one."""

from collections.abc import Sequence
from dataclasses import dataclass

from ruamel.yaml import YAML

from caravan.ai.asking import Asker
from caravan.journeys.documents.persona import PersonaDocument
from caravan.personas.embedding import Embedder
from caravan.personas.matching import Likeness, match
from caravan.personas.titles import folded
from evaluations.cases import FOLDER, Case, read_cases
from evaluations.evaluation import Score
from starter.embedder import embedder
from starter.init import MODEL

FILE = FOLDER / "personas.yaml"
DEFAULTS = MODEL / "personas.yaml"


@dataclass(frozen=True)
class Told:
    """A title, the persona it was labelled with, and the one it was told by."""

    case: str
    title: str
    wanted: str
    told: str | None

    @property
    def right(self) -> bool:
        return self.told == self.wanted


def as_published() -> tuple[list[Case], list[PersonaDocument]]:
    """The labelled titles, by language, and the personas of a new workspace."""
    documents = YAML(typ="safe").load_all(DEFAULTS.read_text(encoding="utf-8"))
    return read_cases(FILE), [PersonaDocument.model_validate(one) for one in documents]


async def tell_all(
    embedder: Embedder, cases: Sequence[Case], personas: Sequence[PersonaDocument]
) -> list[Told]:
    """Tell every title's persona as the stores do."""
    wanted = [
        (case.name, title, persona)
        for case in cases
        for persona, titles in case["titles"].items()
        for title in titles
    ]
    texts = [text for one in personas for text in one.likenesses]
    titles = [folded(title) for _, title, _ in wanted]
    vectors = await embedder.vectors([*map(folded, texts), *titles])
    likenesses = [
        Likeness(one.persona, {text: vectors[folded(text)] for text in one.likenesses})
        for one in personas
    ]
    found = match(likenesses, [vectors[title] for title in titles])
    return [
        Told(case, title, persona, one.persona)
        for (case, title, persona), one in zip(wanted, found, strict=True)
    ]


async def tells(_asker: Asker, case: Case) -> Score:
    """The share of a language's titles that get the persona they are labelled with."""
    _, personas = as_published()
    told = await tell_all(embedder(), [case], personas)
    wrong = [f"{one.title} → {one.told}" for one in told if not one.right]
    return Score(1 - len(wrong) / len(told), "; ".join(wrong))
