"""The document ``roles_template:``: who in an account plays which role, and how much each counts."""

from fractions import Fraction
from math import lcm

from pydantic import BaseModel, ConfigDict

from caravan.journeys.conditions.model import Condition
from caravan.journeys.conditions.scope import Scope
from caravan.journeys.reading import Fields, refuse_doubled

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


def read_roles_template(fields: Fields, scope: Scope, zone: str) -> RolesTemplateDocument | None:
    """From its mapping; None where anything in it is wrong.

    Args:
        fields: the document.
        scope: of conditions on people in the engage store that decide who is in a group.
        zone: the workspace's, whose days a condition means.
    """
    slug = fields.slug("roles_template")
    fields.required("roles")
    each = fields.each("roles")
    roles = tuple(role for role in (_read_role(one, scope) for one in each) if role is not None)
    refuse_doubled(each, "role")
    if fields.has("roles") and not each:
        fields.problem("missing-key", "roles", "a template has at least one role")
    if len(each) > fields.limits.roles:
        fields.problem(
            "bad-value",
            "roles",
            f"a template has at most {fields.limits.roles} roles, not {len(each)} "
            + fields.limits.over("roles"),
        )
    fine = all(one.fine for one in each)
    if not fields.finish() or not fine or slug is None:
        return None
    return RolesTemplateDocument(roles_template=slug, roles=roles, zone=zone)


def _read_role(fields: Fields, scope: Scope) -> TemplateRole | None:
    role = fields.name("role")
    weight = fields.choice("weight", tuple(WEIGHTS)) or "normal"
    required = fields.boolean("required", default=False)
    members = fields.count("members_required", 1)
    if members > MOST_REQUIRED:
        fields.problem("bad-value", "members_required", f"at most {MOST_REQUIRED} are required")
    when = fields.condition("when", "person", scope)
    if not fields.finish() or role is None:
        return None
    return TemplateRole(
        role=role, weight=WEIGHTS[weight], required=required, members_required=members, when=when
    )
