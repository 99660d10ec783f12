"""The document ``roles_template:``: who in an account plays which role, and how much each counts."""

from fractions import Fraction
from math import lcm

from pydantic import BaseModel, ConfigDict

from caravan.journeys.conditions.model import Condition

#: roles that are always there (product.md §3.3)
DEFAULT_ROLES = (
    "decision-maker",
    "influencer",
    "practitioner",
    "executive-steering-committee",
    "champion",
    "other",
)
#: how much a role counts for engagement (product.md §3.4)
WEIGHTS = {"trivial": 20, "minor": 40, "normal": 60, "important": 80, "vital": 100}
#: roles of one template
MOST_ROLES = 20
#: people that a role may need
MOST_REQUIRED = 100


class TemplateRole(BaseModel):
    """One role: whoever meets ``when`` plays it, unless an earlier role of the template fits them.

    Without a condition it is filled by hand and by journeys.
    """

    model_config = ConfigDict(frozen=True)

    role: str
    weight: int = WEIGHTS["normal"]
    required: bool = False
    members_required: int = 1
    when: Condition | None = None


class RolesTemplateDocument(BaseModel):
    """The roles of a group, the first that matches a person wins."""

    model_config = ConfigDict(frozen=True)

    roles_template: str
    roles: tuple[TemplateRole, ...]
    zone: str = "UTC"  # the workspace's, whose days conditions mean

    @property
    def denominator(self) -> int:
        """In parts of this size every completeness of the template is a whole number."""
        required = [role.members_required for role in self.roles if role.required]
        return lcm(*required) * len(required) if required else 1

    def parts(self, role: TemplateRole) -> int:
        """What one assigned person adds to completeness, as far as the role needs people."""
        if not role.required:
            return 0
        required = sum(one.required for one in self.roles)
        return int(Fraction(self.denominator, required * role.members_required))
