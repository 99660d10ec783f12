"""What a model wrote goes out when a person has approved it: two keys of a template's front matter say so."""

from caravan.journeys.reading import Fields
from caravan.journeys.source import Source

CODE = "unapproved-content"
#: what ``generated`` may say of where a text is from
ORIGIN = ("model", "at", "digest", "feature")


def read_unapproved(fields: Fields, lines: Source) -> int | None:
    """Read ``generated`` (``true``, or where it is from) and ``approved_by``.

    Returns:
        The line of ``generated`` where a model wrote it and nobody has approved it.
    """
    name = fields.text("approved_by")
    if name is not None and not name.strip():
        fields.problem("bad-value", "approved_by", "approved_by takes the name of who has read it")
    if isinstance(fields.given("generated"), dict):
        origin, is_generated = fields.inner("generated"), True
        for key in ORIGIN:
            origin.text(key)
        origin.finish()
    else:
        is_generated = fields.boolean("generated", default=False)
    return lines.line(("generated",)) if is_generated and not (name or "").strip() else None
