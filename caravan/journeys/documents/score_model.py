"""The document ``score_model:``: how much what people do counts for their engagement."""

from pydantic import BaseModel, ConfigDict

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


class ScoreModelDocument(BaseModel):
    """Weights by type of activity; days are those of ``zone``."""

    model_config = ConfigDict(frozen=True)

    score_model: str
    weights: dict[str, int]
    window_days: int = DEFAULT_WINDOW_DAYS
    daily_cap: int = DEFAULT_DAILY_CAP  # occurrences that count, of a type, by a person, on a day
    active: bool = True  # exactly one of a workspace's is
    zone: str = "UTC"
