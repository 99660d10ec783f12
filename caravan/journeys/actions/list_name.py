"""The key ``list``: a static list, for a dynamic one fills itself by its condition."""

from caravan.journeys.conditions.naming import ListOf
from caravan.journeys.conditions.scope import nearest
from caravan.journeys.reading import Fields, JourneyScope


def read_list_name(fields: Fields, scope: JourneyScope, of: ListOf) -> dict[str, object]:
    """The name of a static list of accounts or of people."""
    name = fields.text("list")
    if name is None:
        fields.required("list")
        return {}
    conditions = scope.conditions
    both = {"accounts": conditions.account_lists, "people": conditions.people_lists}
    known, others = both[of], both["people" if of == "accounts" else "accounts"]
    if name in known and known[name].dynamic:
        fields.problem(
            "bad-value",
            "list",
            f"{name} is a dynamic list: its condition alone decides who is in it",
        )
    elif name not in known and name in others:
        fields.problem("wrong-context", "list", f"{name} is not a list of {of}")
    elif name not in known:
        fields.problem("unknown-list", "list", f"no list {name} of {of}{nearest(name, known)}")
    return {"list": name}
