"""The document ``persona:``: a kind of people, told from their job titles (product.md §3.5)."""

from pydantic import BaseModel, ConfigDict

from caravan.journeys.reading import Fields
from caravan.journeys.written import as_written, shown

#: of a title no more is read, and an example has no more
LONGEST_EXAMPLE = 200
#: examples of a persona: each is read once, and compared with every title
MOST_EXAMPLES = 100


class PersonaDocument(BaseModel):
    """Whoever's title is nearest to the examples; without any, to the description."""

    model_config = ConfigDict(frozen=True)

    persona: str
    described_as: str = ""
    examples: tuple[str, ...] = ()

    @property
    def likenesses(self) -> tuple[str, ...]:
        """The texts that titles are compared with."""
        return self.examples or (self.described_as,)


def read_persona(fields: Fields) -> PersonaDocument | None:
    """From its mapping; None where anything in it is wrong."""
    slug = fields.slug("persona")
    described_as = (fields.text("described_as", longest=1_000) or "").strip()
    examples = _read_examples(fields)
    if fields.fine and not examples and not described_as:
        fields.problem(
            "missing-key", None, "a persona has examples (job titles), or described_as in words"
        )
    if not fields.finish() or slug is None:
        return None
    return PersonaDocument(persona=slug, described_as=described_as, examples=examples)


def _read_examples(fields: Fields) -> tuple[str, ...]:
    given = fields.items("examples")
    if len(given) > MOST_EXAMPLES:
        fields.problem("bad-value", "examples", f"a persona has at most {MOST_EXAMPLES} examples")
        return ()
    examples = []
    for number, raw in enumerate(given):
        text = "" if isinstance(raw, dict | list) or raw is None else as_written(raw).strip()
        if not text or len(text) > LONGEST_EXAMPLE:
            fields.fine = False
            fields.report(
                "bad-value",
                (*fields.path, "examples", number),
                f"{shown(raw)} is no job title: a text of at most {LONGEST_EXAMPLE} characters",
            )
        examples.append(text)
    return tuple(dict.fromkeys(examples))
