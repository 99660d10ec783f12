"""The document ``buying_groups:``, a job: a group for every account of an audience, now and later."""

from pydantic import BaseModel, ConfigDict


class BuyingGroupsDocument(BaseModel):
    model_config = ConfigDict(frozen=True)

    buying_groups: str
    solution_interest: str
    audience: str  # of accounts
