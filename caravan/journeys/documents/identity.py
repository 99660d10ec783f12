"""The document ``identity:``: when records of different sources are one person, or one account."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from caravan.journeys.conditions.scope import nearest
from caravan.journeys.reading import Fields
from caravan.journeys.written import as_written, shown

#: what records may be matched by; all that a rule names have to be equal
MATCHED_BY: dict[str, tuple[str, ...]] = {"people": ("email",), "accounts": ("domain", "name")}


class IdentityDocument(BaseModel):
    """A rule: records of which these fields are equal, once normalised, are one."""

    model_config = ConfigDict(frozen=True)

    identity: str
    of: Literal["people", "accounts"]
    match: tuple[str, ...]


def read_identity(fields: Fields) -> IdentityDocument | None:
    """From its mapping; None where anything in it is wrong."""
    slug = fields.slug("identity")
    fields.required("of")
    of = fields.choice("of", tuple(MATCHED_BY))
    fields.required("match")
    match = _read_match(fields, of)
    if not fields.finish() or slug is None or of is None:
        return None
    return IdentityDocument(
        identity=slug, of="people" if of == "people" else "accounts", match=match
    )


def _read_match(fields: Fields, of: str | None) -> tuple[str, ...]:
    names = []
    given = fields.items("match")
    if fields.has("match") and isinstance(fields.raw["match"], list) and not given:
        fields.problem("bad-value", "match", "match names at least one field")
    for number, raw in enumerate(given):
        name = "" if isinstance(raw, dict | list) else as_written(raw)
        names.append(name)
        if of is None or name in MATCHED_BY[of]:
            continue
        fields.fine = False
        known = MATCHED_BY[of]
        fields.report(
            "bad-value",
            (*fields.path, "match", number),
            f"{of} are matched by {' and '.join(known)}, not by {shown(raw)}{nearest(name, known)}",
        )
    return tuple(dict.fromkeys(names))
