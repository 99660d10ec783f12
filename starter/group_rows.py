"""Buying groups as rows: what programs get, what people see, and the cells of a spreadsheet."""

from datetime import UTC, datetime
from typing import Any

from caravan.buying_groups.completeness import shown
from starter.output import as_instant

#: what a listing shows of a group
COLUMNS = (
    "group",
    "account_name",
    "stage",
    "status",
    "completeness",
    "engagement",
    "members",
    "empty_roles",
    "qualified",
)
#: accounts first, named as in accounts.csv: this is what sales gets (product.md §3.12)
CSV_COLUMNS = ("account_id", "name", "group", "solution_interest", *COLUMNS[2:-1], "qualified_at")

#: what a person's page shows of a membership
MEMBERSHIP_COLUMNS = (
    "group",
    "role",
    "source",
    "stage",
    "completeness",
    "engagement",
    "removed_at",
)

#: what a spreadsheet may take for the beginning of a formula
FORMULA = ("=", "+", "-", "@")


def group_row(row: Any) -> dict[str, Any]:
    """A group of ``listing.groups`` for programs: scores exact, instants whole."""
    return {
        "group": row["id"],
        "account": row["account"],
        "account_name": row["name"],
        "solution_interest": row["solution_interest"],
        "stage": row["stage"],
        "stage_at": row["stage_at"],
        "status": row["status"],
        "status_at": row["status_at"],
        "completeness": row["completeness"],
        "engagement": row["engagement"],
        "members": row["members"],
        "empty_roles": list(row["empty_roles"]),
        "qualified_at": row["qualified_at"],
        "roles_template": row["roles_template"],
        "roles_template_version": row["roles_template_version"],
        "stage_model": row["stage_model"],
        "stage_model_version": row["stage_model_version"],
        "created_at": row["created_at"],
        "kept_at": row["kept_at"],
    }


def velocity(row: Any) -> dict[str, Any]:
    """How many moves, and how long each took on average; ``row`` None: there were none."""
    return {
        "moves": row["moves"] if row is not None else 0,
        "seconds_per_move": round(row["took"].total_seconds()) if row is not None else None,
    }


def role_row(role: str, weight: int, required: bool, needed: int, people: int) -> dict[str, Any]:
    """A role of the template that a group follows, and how many play it."""
    return {
        "role": role,
        "weight": weight,
        "required": required,
        "members_required": needed,
        "people": people,
    }


def group_words(row: dict[str, Any]) -> str:
    """A group in a line of its account's page."""
    whole = rounded(row)
    parts = [
        f"{row['solution_interest']} ({row['group']})",
        f"stage {row['stage']}" if row["stage"] else None,
        f"status {row['status']}" if row["status"] else None,
        f"completeness {whole['completeness']}",
        f"engagement {whole['engagement']}",
        "qualified" if row["qualified_at"] else None,
        f"nobody is {', '.join(row['empty_roles'])}" if row["empty_roles"] else None,
    ]
    return " · ".join(filter(None, parts))


def membership_row(row: Any) -> dict[str, Any]:
    """A group that a person is or was in."""
    return {
        "group": row["id"],
        "account": row["account"],
        "solution_interest": row["solution_interest"],
        "role": row["role"],
        "source": row["source"],
        "stage": row["stage"],
        "completeness": row["completeness"],
        "engagement": row["engagement"],
        "added_at": row["added_at"],
        "removed_at": row["removed_at"],
    }


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    """The same with scores whole, rounded half up."""
    return row | {name: shown(row[name]) for name in ("completeness", "engagement") if name in row}


def for_people(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a table: the group by the name that `caravan buying-group show` takes, scores whole."""
    since = row.get("qualified_at")
    return rounded(row) | {
        "group": f"{row['account']}/{row['solution_interest']}",
        "qualified": f"{since.astimezone(UTC):%Y-%m-%d}" if since is not None else None,
    }


def csv_cells(row: Any) -> list[str]:
    """The cells of ``CSV_COLUMNS``; roles are separated by semicolons, as in ``people.csv``."""
    told = rounded(group_row(row)) | {
        "account_id": row["account"],
        "name": row["name"],
        "empty_roles": ";".join(row["empty_roles"]),
    }
    return [harmless(told[name]) for name in CSV_COLUMNS]


def harmless(value: Any) -> str:
    """A cell that no spreadsheet runs: a text that could begin a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return as_instant(value.replace(microsecond=0))
    text = str(value)
    return "'" + text if text.lstrip().startswith(FORMULA) else text
