"""Event history as SQL: what a ``did`` counts, since when, and when time alone changes the answer."""

from typing import Literal

from caravan.journeys.conditions.binder import Binder
from caravan.journeys.conditions.checks import described, sql_of_test
from caravan.journeys.conditions.flips import JUST_AFTER, fallen_out
from caravan.journeys.conditions.model import Did, Test, Window
from caravan.journeys.conditions.related import among, people_of_account, people_of_accounts
from caravan.journeys.conditions.values import value_of
from caravan.journeys.durations import duration_of
from caravan.journeys.events import BOT, BOTS, DONE_BY_BOTS, OF_ONE_ACCOUNT
from caravan.journeys.time import shift

#: whose history it is: the account's ``a``, the person's ``p`` as one of the account ``a``, or as such
Asked = Literal["account", "person of the account", "person"]


def event_predicate(
    where: dict[str, Test], binder: Binder, alias: str = "e", *, picking: bool = False
) -> str:
    """Tests on the fields of an activity; ``picking`` as in ``sql_of_test``."""
    parts = []
    for field, test in where.items():
        value = value_of(f"{alias}.fields", field, test.type)
        parts.append(f"({sql_of_test(test, value, binder, picking=picking)})")
    return " and ".join(parts) or "true"


def activity_predicate(
    kind: str, where: dict[str, Test], binder: Binder, alias: str = "e", *, picking: bool = False
) -> str:
    """Whether an activity is of a type, as asked for, and somebody's doing where bots are not to count."""
    own = {field: test for field, test in where.items() if not _is_bots(kind, field)}
    asked = event_predicate(own, binder, alias, picking=picking)
    parts = [f"{alias}.type = {binder.literal(kind, 'text')}", asked]
    if kind in DONE_BY_BOTS and BOT not in where and not _counts_bots(where):
        parts.append(f"{alias}.fields -> '{BOT}' is distinct from 'true'::jsonb")
    return " and ".join(parts)


def _is_bots(kind: str, field: str) -> bool:
    return field == BOTS and kind in DONE_BY_BOTS


def _counts_bots(where: dict[str, Test]) -> bool:
    return BOTS in where and True in where[BOTS].checks[0].operands


def happened(condition: Did, asked: Asked, binder: Binder, *, of_all: bool = False) -> str:
    """Whether it was done often enough, by enough of them.

    Args:
        condition: what, and since when.
        asked: whose history it is.
        binder: takes the parameters.
        of_all: everybody is asked about at once. Then the events are gathered once by whose they are,
            instead of being looked up for each.
    """
    once = condition.at_least == 1 and condition.people == 1
    if of_all and asked != "person of the account":
        return _gathered(condition, asked, binder, once=once)
    sources = _in_window(condition, asked, binder)
    if once:
        return " or ".join(f"exists (select {source})" for source in sources)
    return f"(select {_often(condition, binder)} from {_distinct(sources)})"


def never_happened(condition: Did, asked: Asked, binder: Binder) -> str | None:
    """That nothing of the kind was done, so that it can be an anti-join; None: it asks for more than one."""
    if condition.at_least > 1 or condition.people > 1:
        return None
    sources = _in_window(condition, asked, binder)
    return " and ".join(f"not exists (select {source})" for source in sources)


def _gathered(condition: Did, asked: Asked, binder: Binder, *, once: bool) -> str:
    """Whether it is among those who did it often enough."""
    when = _window(condition, binder)
    whose = [(owner, f"{source} and {when}") for owner, source in _of_all(condition, asked, binder)]
    subject = "a.id" if asked == "account" else "p.id"
    if once:
        done = " union all ".join(
            f"select {owner} as subject_id {source}" for owner, source in whose
        )
        return among(subject, done)
    columns = "as subject_id, e.id, e.person_id"
    done = " union ".join(f"select {owner} {columns} {source}" for owner, source in whose)
    often = _often(condition, binder)
    return among(
        subject,
        f"select done.subject_id from ({done}) done group by done.subject_id having {often}",
    )


def _often(condition: Did, binder: Binder) -> str:
    return (
        f"count(*) >= {binder.literal(condition.at_least, 'bigint')}"
        " and count(distinct coalesce(done.person_id, 0)) >="
        f" {binder.literal(condition.people, 'bigint')}"
    )


def times(condition: Did, asked: Asked, binder: Binder) -> str:
    """How often it was done."""
    return f"(select count(*) from {_distinct(_in_window(condition, asked, binder))})"


def history_flips(condition: Did, asked: Asked, binder: Binder) -> tuple[str, ...]:
    """The next event that is dated later than now, and the next to fall out of the window.

    One look at the events for both: this is asked of everybody when an audience is evaluated as a whole.
    """
    coming = f"case when e.at > {binder.named('as_of', 'timestamptz')} then e.at end"
    window = condition.window
    if window.within is None or window.in_journey:
        return tuple(
            f"(select min({coming}) {source})" for source in _ever(condition, asked, binder)
        )
    since = _opening(window, binder)
    leaving = fallen_out(f"(e.at{JUST_AFTER})", duration_of(window.within), binder)
    soonest = f"least({', '.join([coming, *leaving])})"
    return tuple(
        f"(select min({soonest}) {source} and e.at >= {since})"
        for source in _ever(condition, asked, binder)
    )


def label(condition: Did) -> str:
    """What was asked, in a few words."""
    window = condition.window
    parts = [condition.type, described(condition.where)]
    if window.since is not None:
        parts.append(f"since {window.since}")
    elif window.within is not None:
        parts.append(f"within {window.within}")
    return f"did({', '.join(filter(None, parts))})"


def _ever(condition: Did, asked: Asked, binder: Binder) -> list[str]:
    """The activities asked for, whenever they were, by where they are found."""
    what = activity_predicate(condition.type, condition.where, binder, picking=True)
    of_one = condition.type in OF_ONE_ACCOUNT
    if asked == "account":
        own = f"from activities e where e.account_id = a.id and {what}"
        if of_one:
            return [own]
        # two index scans rather than one OR: see activities_account and activities_person
        return [own, f"{people_of_account('join activities e on e.person_id = p.id')} and {what}"]
    if of_one and asked == "person of the account":
        what = f"e.account_id = a.id and {what}"
    return [f"from activities e where e.person_id = p.id and {what}"]


def _of_all(condition: Did, asked: Asked, binder: Binder) -> list[tuple[str, str]]:
    """The activities asked for, of everybody, as (whose it is, where it is found); ``_ever`` has those of one."""
    what = activity_predicate(condition.type, condition.where, binder, picking=True)
    if asked != "account":
        return [("e.person_id", f"from activities e where e.person_id is not null and {what}")]
    own = ("e.account_id", f"from activities e where e.account_id is not null and {what}")
    if condition.type in OF_ONE_ACCOUNT:
        return [own]
    theirs = people_of_accounts("join activities e on e.person_id = p.id")
    return [own, ("r.account_id", f"{theirs} and {what}")]


def _in_window(condition: Did, asked: Asked, binder: Binder) -> list[str]:
    """Those of one between the window's opening and now, both ends included."""
    when = _window(condition, binder)
    return [f"{source} and {when}" for source in _ever(condition, asked, binder)]


def _window(condition: Did, binder: Binder) -> str:
    start = _opening(condition.window, binder)
    when = f"e.at <= {binder.named('as_of', 'timestamptz')}"
    return f"{when} and e.at >= {start}" if start is not None else when


def _opening(window: Window, binder: Binder) -> str | None:
    """Where the window opens; None: it has always been open."""
    if window.since == "entry":
        return binder.named("entered_at", "timestamptz")
    if window.since is not None:
        traversal = binder.named("traversal_id", "bigint")
        node = binder.literal(window.since, "text")
        # where it stands there now, the step that says so may still be to come
        return (
            f"greatest((select max(s.arrived_at) from steps s where s.traversal_id = {traversal}"
            f" and s.node = {node}), case when {binder.named('node', 'text')} = {node}"
            f" then {binder.named('arrived_at', 'timestamptz')} end)"
        )
    if window.within is None:
        return None
    back, zone = -duration_of(window.within), binder.zone
    name = "entered_at" if window.in_journey else "as_of"
    return binder.derived(name, "timestamptz", str(back), lambda at: shift(at, back, zone))


def _distinct(sources: list[str]) -> str:
    """Activities of several sources, each once: an account's may be one of its people's too."""
    selects = " union ".join(f"select e.id, e.person_id, e.at {source}" for source in sources)
    return f"({selects}) done"
