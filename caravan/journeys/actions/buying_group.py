"""Keys of the actions on buying groups: the solution interest, and what is named of its groups."""

from caravan.journeys.conditions.group_names import name_known
from caravan.journeys.reading import Fields, JourneyScope


def read_interest(fields: Fields, scope: JourneyScope) -> str | None:
    """The key ``solution_interest``: whose group of the account is meant."""
    return _read_name(fields, "solution_interest", None, scope)


def read_name_in(fields: Fields, key: str, interest: str | None, scope: JourneyScope) -> str | None:
    """The keys ``role`` and ``stage``: one of those that the interest's groups may have."""
    return _read_name(fields, key, interest, scope)


def _read_name(fields: Fields, key: str, interest: str | None, scope: JourneyScope) -> str | None:
    name = fields.text(key)
    if name is None:
        fields.required(key)
        return None
    named = [] if interest is None else [interest]
    path = (*fields.path, key)
    if not name_known(key, name, named, path, scope.conditions, fields.report):
        fields.fine = False
    return name
