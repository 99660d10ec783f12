"""The document ``audience:``: which accounts, or which people."""

from pydantic import BaseModel, ConfigDict

from caravan.journeys.conditions.model import Condition
from caravan.journeys.conditions.parse import Scope
from caravan.journeys.reading import Fields


class AudienceDocument(BaseModel):
    model_config = ConfigDict(frozen=True)

    audience: str
    of: str = "accounts"
    when: Condition


def read_audience(fields: Fields, scope: Scope) -> AudienceDocument | None:
    """From its mapping; None where anything in it is wrong."""
    slug = fields.slug("audience")
    of = fields.choice("of", ("accounts", "people")) or "accounts"
    fields.required("when")
    when = fields.condition("when", "account" if of == "accounts" else "person", scope)
    if not fields.finish() or slug is None or when is None:
        return None
    return AudienceDocument(audience=slug, of=of, when=when)
