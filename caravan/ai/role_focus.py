"""What each role of a buying group wants to read of (product.md §8.2): data beside the prompts."""

from dataclasses import dataclass
from functools import cache

from ruamel.yaml import YAML

from caravan.ai import prompts

FILE = "role_focus.yaml"


@dataclass(frozen=True)
class RoleFocus:
    """A role, the other names that teams have for it, and what mail to it speaks of."""

    role: str
    also: tuple[str, ...]
    focus: str


@cache
def role_focuses() -> tuple[RoleFocus, ...]:
    """All that are written down."""
    rows = YAML(typ="safe").load((prompts.FOLDER / FILE).read_text(encoding="utf-8"))
    return tuple(RoleFocus(row["role"], tuple(row["also"]), row["focus"]) for row in rows)


def focus_of(role: str) -> RoleFocus | None:
    """The focus of a role, whichever way its name is written; None: nothing is written down for it."""
    name = "-".join(role.casefold().replace("_", " ").replace("-", " ").split())
    return next((one for one in role_focuses() if name in (one.role, *one.also)), None)
