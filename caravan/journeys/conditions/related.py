"""The records related to the one a condition is about, as SQL: current ones, deleted ones never."""


def people_of_account(join: str = "") -> str:
    """The people ``p`` of the account ``a`` with their relation ``r``, and what is joined to them."""
    return f"{people_of_accounts(join)} and r.account_id = a.id"


def people_of_accounts(join: str = "") -> str:
    """The people ``p`` of all accounts, with their relation ``r``, and what is joined to them."""
    return (
        f"from relations r join people p on p.id = r.person_id {join}"
        " where r.deleted_at is null and p.deleted_at is null"
    )


def accounts_of_person(join: str = "") -> str:
    """The accounts ``a`` of the person ``p`` with their relation ``r``, and what is joined to them."""
    return (
        f"from relations r join accounts a on a.id = r.account_id {join} where r.person_id = p.id"
        " and r.deleted_at is null and a.deleted_at is null"
    )


def opportunities_of_account() -> str:
    """The opportunities ``o`` of the account ``a``."""
    return "from opportunities o where o.account_id = a.id and o.deleted_at is null"


def among(subject: str, gathered: str) -> str:
    """Whether the subject is among those gathered for everybody, who are called ``subject_id``.

    An ``exists``, for which the planner has the choice: to join them, or where that cannot be, beside
    others of which one is enough, to hash them or to look them up for each. ``in`` would read through all of
    them for each there, as soon as they are too many to be hashed.
    """
    return f"exists (select from ({gathered}) gathered where gathered.subject_id = {subject})"
