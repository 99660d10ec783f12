"""The document ``campaign:``: people actions that a journey, or a person at the CLI, may request."""

from pydantic import BaseModel, ConfigDict

from caravan.journeys.actions import Action
from caravan.journeys.actions.reading import read_actions
from caravan.journeys.reading import Fields, JourneyScope


class CampaignDocument(BaseModel):
    model_config = ConfigDict(frozen=True)

    campaign: str
    actions: tuple[Action, ...]


def read_campaign(fields: Fields, scope: JourneyScope) -> CampaignDocument | None:
    """From its mapping; None where anything in it is wrong."""
    slug = fields.slug("campaign")
    fields.required("do")
    actions = None
    if fields.has("do"):
        actions = read_actions(
            fields,
            scope,
            refuse_account=("wrong-context", "a campaign acts on people only"),
        )
    if not fields.finish() or slug is None or actions is None:
        return None
    return CampaignDocument(campaign=slug, actions=actions)
