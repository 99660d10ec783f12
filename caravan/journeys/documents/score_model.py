"""The document ``score_model:``: how much what people do counts for their engagement."""

from pydantic import BaseModel, ConfigDict

from caravan.journeys.events import OF_ONE_ACCOUNT, is_account_event
from caravan.journeys.reading import NAME_LIMIT, Fields

#: what counts where a workspace has no score model (product.md §3.8)
DEFAULT_WEIGHTS = {
    "event_attended": 60,
    "event_registered": 60,
    "interesting_moment": 60,
    "form_filled": 40,
    "page_visited": 40,
    "email_opened": 30,
    "email_clicked": 30,
}
DEFAULT_WINDOW_DAYS = 30
DEFAULT_DAILY_CAP = 20
#: days that a window may have
MOST_DAYS = 366
#: so large may a weight and a daily cap be
MOST_WEIGHT, MOST_CAP = 1_000, 10_000
#: days of the units that a window may be written in
DAYS_OF = {"days": 1, "weeks": 7}


class ScoreModelDocument(BaseModel):
    """Weights by type of activity; days are those of ``zone``."""

    model_config = ConfigDict(frozen=True)

    score_model: str
    weights: dict[str, int]
    window_days: int = DEFAULT_WINDOW_DAYS
    daily_cap: int = DEFAULT_DAILY_CAP  # occurrences that count, of a type, by a person, on a day
    active: bool = True  # exactly one of a workspace's is
    zone: str = "UTC"

    @property
    def is_implied(self) -> bool:
        """Whether this is what counts where nothing is said."""
        return self == implied(self.zone)


def implied(zone: str) -> ScoreModelDocument:
    """What counts in a workspace without score models, whose days are those of its zone."""
    return ScoreModelDocument(score_model="default", weights=DEFAULT_WEIGHTS, zone=zone)


def read_score_model(fields: Fields, zone: str, *, alone: bool) -> ScoreModelDocument | None:
    """From its mapping; None where anything in it is wrong.

    Args:
        fields: the document.
        zone: the workspace's, whose days count.
        alone: it is the workspace's only one, which is active without saying so.
    """
    slug = fields.slug("score_model")
    fields.required("weights")
    weights = _read_weights(fields.inner("weights"))
    window = _read_window(fields)
    cap = fields.count("daily_cap", DEFAULT_DAILY_CAP)
    if cap > MOST_CAP:
        fields.problem("bad-value", "daily_cap", f"daily_cap is at most {MOST_CAP}")
    active = fields.boolean("active", default=alone)
    if alone and not active:
        fields.problem("bad-value", "active", "one score model is active, and this is the only one")
    if not fields.finish() or slug is None or weights is None:
        return None
    return ScoreModelDocument(
        score_model=slug,
        weights=weights,
        window_days=window,
        daily_cap=cap,
        active=active,
        zone=zone,
    )


def _read_weights(fields: Fields) -> dict[str, int] | None:
    """Types of activities, those of the language or any other, with what each weighs."""
    weights = {}
    for type_ in fields.raw:
        weights[type_] = fields.count(type_, 0, least=0)
        if weights[type_] > MOST_WEIGHT:
            fields.problem("bad-value", type_, f"a weight is at most {MOST_WEIGHT}")
        if not type_ or len(type_) > NAME_LIMIT:
            fields.problem("bad-value", type_, f"a type has 1 to {NAME_LIMIT} characters")
        if is_account_event(type_):
            fields.problem(
                "wrong-context",
                type_,
                f"{type_} is an event of the account; engagement is of what people do",
            )
        if type_ in OF_ONE_ACCOUNT:
            fields.problem(
                "wrong-context",
                type_,
                f"{type_} is done to people, not by them; engagement is of what people do",
            )
    return weights if fields.finish() else None


def _read_window(fields: Fields) -> int:
    span = fields.duration("window")
    if span is None:
        return DEFAULT_WINDOW_DAYS
    days = span.count * DAYS_OF.get(span.unit, 0)
    if not 1 <= days <= MOST_DAYS:
        fields.problem(
            "bad-duration", "window", f"window takes whole days, 1 to {MOST_DAYS}: 30 days"
        )
        return DEFAULT_WINDOW_DAYS
    return days
