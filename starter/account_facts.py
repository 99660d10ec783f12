"""The facts of an account: where it stands, its ways, what its people did and were sent; each with its record."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from caravan.buying_groups.completeness import shown
from caravan.buying_groups.listing import Filters, groups
from caravan.engage import sql
from caravan.engage.awaiting_entry import awaiting_entry
from caravan.reports.activity_words import in_words as activity_in_words
from caravan.reports.facts import Fact, Facts, fitting
from caravan.reports.pseudonyms import Pseudonyms
from starter.evidence import in_words
from starter.output import readable
from starter.reasons import reason
from starter.way import Names, way_of

#: of each kind, the latest: what is told fits into a question
MOST_PEOPLE, MOST_WAYS, MOST_STEPS, MOST_ACTIVITIES, MOST_MESSAGES = 500, 8, 40, 30, 30
#: people, and things done, of one step
MOST_OF_A_STEP = 8
#: characters of all steps together
MOST_CHARACTERS = 12_000
RECENT = timedelta(days=30)


async def account_facts(conn: Any, account: Any, at: datetime) -> Facts:
    """All that a summary of an account is made of.

    Args:
        conn: the engage store.
        account: the row of ``find_account``.
        at: the instant.
    """
    pseudonyms = Pseudonyms()
    await speak_of(conn, account, pseudonyms)
    items = [
        *await standing(conn, account, pseudonyms, at),
        *await ways(conn, account["id"], pseudonyms),
        *await activities(conn, account["id"], pseudonyms, at),
        *await messages(conn, account["id"], pseudonyms),
    ]
    return Facts(f"account {account['id']}", tuple(items), pseudonyms)


async def speak_of(conn: Any, account: Any, pseudonyms: Pseudonyms) -> None:
    """Have pseudonyms for an account and all who were ever related to it."""
    pseudonyms.account(account["id"], account["external_id"], account["attributes"])
    for row in await sql.fetch(
        conn, "people_ever_of_account", account_id=account["id"], limit=MOST_PEOPLE
    ):
        pseudonyms.person(row["id"], row["external_id"], row["attributes"])


async def standing(conn: Any, account: Any, pseudonyms: Pseudonyms, at: datetime) -> list[Fact]:
    """Where an account stands, without the steps that led there."""
    me = f"account {account['id']}"
    facts = [await itself(conn, account)]
    for row in await sql.fetch(conn, "traversals_of_account", account_id=account["id"]):
        facts.append(traversal(row, me, pseudonyms))
    for row in await sql.fetch(conn, "entries_of_account", account_id=account["id"]):
        if row["refused"] is not None:
            text = f"{me} was not let into the journey {row['slug']}: {pseudonyms.hide(row['refused'])}"
            record = f"refusal:{account['id']}/{row['slug']}"
            facts.append(Fact(record, text, row["refused_at"]))
    for one in await awaiting_entry(conn, account["id"], at):
        text = f"{me} waits to enter the journey {one.journey} v{one.version}: {pseudonyms.hide(one.why)}"
        record = f"waiting:{account['id']}/{one.journey}/{one.version}"
        facts.append(Fact(record, text, one.queued_at))
    async for row in groups(conn, Filters(account=account["external_id"])):
        facts.append(group_standing(row, pseudonyms))
    return _last_ways(facts)


async def itself(conn: Any, account: Any) -> Fact:
    """An account as such."""
    people = await sql.fetch(conn, "people_of_account", account_id=account["id"])
    known = f"{len(people)} known {'person' if len(people) == 1 else 'people'}"
    gone = f", deleted {readable(account['deleted_at'])}" if account["deleted_at"] else ""
    return Fact(f"account:{account['id']}", f"account {account['id']} has {known}{gone}")


def _last_ways(facts: list[Fact]) -> list[Fact]:
    last = [one for one in facts if one.record.startswith("traversal:")][-MOST_WAYS:]
    return [one for one in facts if not one.record.startswith("traversal:") or one in last]


def group_standing(row: Any, pseudonyms: Pseudonyms) -> Fact:
    """A row of ``listing.groups`` in a sentence."""
    lacks = ", ".join(map(pseudonyms.hide, row["empty_roles"]))
    parts = [
        f"stage {pseudonyms.hide(row['stage'])}" if row["stage"] else "no stage",
        f"status {pseudonyms.hide(row['status'])}" if row["status"] else None,
        f"completeness {shown(row['completeness'])} of 100",
        f"engagement {shown(row['engagement'])} of 100",
        f"{row['members']} {'member' if row['members'] == 1 else 'members'}",
        f"qualified since {readable(row['qualified_at'])}" if row["qualified_at"] else "not qualified",
        f"nobody is {lacks}" if lacks else None,
    ]  # fmt: skip
    of = pseudonyms.of_account(row["account"])
    text = (
        f"the buying group of {of} for {row['solution_interest']}: {', '.join(filter(None, parts))}"
    )
    return Fact(f"group:{row['id']}", text)


def traversal(row: Any, me: str, pseudonyms: Pseudonyms) -> Fact:
    """An entry into a journey, and how it stands or ended."""
    state = row["state"]
    text = f"{me} entered the journey {row['slug']} v{row['version']} (entry {row['entry']})"
    if row["ended_at"] is not None:
        label = f", outcome {pseudonyms.hide(row['label'])}" if row["label"] else ""
        text += f" and left it {readable(row['ended_at'])}: {row['reason']}{label}"
    else:
        until = (state.get("pending") or {}).get("until")
        text += f" and stands at the node {state.get('position') or 'start'}"
        text += f", until {readable(until)}" if until else ""
        text += f", held since {readable(row['held_at'])}" if row["held_at"] else ""
    return Fact(f"traversal:{row['id']}", text, row["entered_at"])


async def ways(
    conn: Any, account_id: int, pseudonyms: Pseudonyms, slug: str | None = None
) -> list[Fact]:
    """The latest steps, of one journey or of all, and what was done at each."""
    rows = await sql.fetch(conn, "traversals_of_account", account_id=account_id)
    names = await _names(conn, account_id, pseudonyms)
    facts: list[Fact] = []
    for row in [one for one in rows if slug is None or one["slug"] == slug][-MOST_WAYS:]:
        way = await way_of(conn, row, names)
        facts += [_step(row["id"], way, step, pseudonyms) for step in way["steps"]]
    latest = fitting(reversed(facts[-MOST_STEPS:]), MOST_CHARACTERS)
    return latest[::-1]


async def _names(conn: Any, account_id: int, pseudonyms: Pseudonyms) -> Names:
    rows = await sql.fetch(conn, "people_ever_of_account", account_id=account_id, limit=MOST_PEOPLE)
    people = {row["id"]: pseudonyms.of_person(row["external_id"]) for row in rows}
    return {"person": people, "opportunity": {}}


def _step(
    traversal: int, way: Mapping[str, Any], step: Mapping[str, Any], pseudonyms: Pseudonyms
) -> Fact:
    kind = f" ({step['kind']})" if step.get("kind") else ""
    parts = [
        f"in {way['journey']} v{way['version']}, step {step['step']}, at the node {step['node']}{kind}: "
        f"{pseudonyms.hide(step['told'])}"
    ]
    if "because" in step:
        parts.append(f"because {_told(step['because'], pseudonyms)}")
    for person, place in list((step.get("people") or {}).items())[:MOST_OF_A_STEP]:
        because = _told(place["because"], pseudonyms)
        went = f"{pseudonyms.of_person(person)} took the path {pseudonyms.hide(place['path'])}"
        parts.append(went + (f" because {because}" if because else ""))
    for effect in step.get("effects", [])[:MOST_OF_A_STEP]:
        parts.append(_effect(effect, pseudonyms))
    if step.get("next"):
        parts.append(f"then it went to {step['next']}")
    elif "outcome" in step and way["ended_at"] is not None and step is way["steps"][-1]:
        label = f", outcome {pseudonyms.hide(way['label'])}" if way["label"] else ""
        parts.append(f"then it left: {way['reason']}{label}")
    return Fact(f"step:{traversal}/{step['step']}", "; ".join(parts), _instant(step.get("at")))


def _told(because: Mapping[str, Any], pseudonyms: Pseudonyms) -> str:
    """Phrases of what decided; our own pseudonyms in them stay."""
    phrases = []
    for key, value in because.items():
        if isinstance(value, str) and pseudonyms.knows(value):
            phrases.append(f"{pseudonyms.hide(key.partition('(')[0])} {value}")
        else:
            phrases += map(pseudonyms.hide, in_words({key: value}))
    return "; ".join(phrases[:8])


def _effect(effect: Mapping[str, Any], pseudonyms: Pseudonyms) -> str:
    whom = f" for {pseudonyms.of_person(effect['person'])}" if "person" in effect else ""
    about = [
        str(effect[key])
        for key in ("template", "field", "list", "journey", "campaign", "score")
        if key in effect
    ]
    why = reason({"reason": None, "reply": None, **effect})
    return (
        f"{effect['action'].replace('_', ' ')}{''.join(f' {pseudonyms.hide(one)}' for one in about)}{whom}: "
        f"{effect['state'].replace('_', ' ')}" + (f", {pseudonyms.hide(why)}" if why else "")
    )


async def activities(
    conn: Any, account_id: int, pseudonyms: Pseudonyms, at: datetime
) -> list[Fact]:
    """What happened in the last days, newest first."""
    rows = await sql.fetch(
        conn,
        "recent_activities_of_account",
        account_id=account_id,
        since=at - RECENT,
        as_of=at,
        limit=MOST_ACTIVITIES,
    )
    facts = []
    for row in rows:
        fields = row["fields"]
        who = f"account {account_id}" if row["person_id"] is None else f"person {row['person_id']}"
        if row["type"].endswith("interesting_moment"):
            what = f"interesting moment: {fields.get('text') or fields.get('type') or ''}"
        else:
            what = activity_in_words(row["type"], fields)
        facts.append(Fact(f"event:{row['id']}", f"{who}: {pseudonyms.hide(what)}", row["at"]))
    return facts


async def messages(
    conn: Any, account_id: int, pseudonyms: Pseudonyms, limit: int = MOST_MESSAGES
) -> list[Fact]:
    """What was sent to its people, or why it was not, newest first."""
    rows = await sql.fetch(conn, "messages_of_account", account_id=account_id, limit=limit)
    facts = []
    for row in rows:
        to = pseudonyms.of_person(row["person"]) if row["person"] else "a salesperson"
        what = f"the e-mail {row['template']}" if row["template"] else row["action"]
        why = reason(row)
        path = f", path {pseudonyms.hide(row['path'])}" if row["path"] else ""
        text = (
            f"{what} to {to}, by {row['journey']} v{row['version']}, node {row['node']}{path}: "
            f"{row['state'].replace('_', ' ')}" + (f", {pseudonyms.hide(why)}" if why else "")
        )
        record = f"message:{row['message_id'] or row['id']}"  # none where it was skipped
        facts.append(Fact(record, text, row["claimed_at"]))
    return facts


def _instant(at: Any) -> datetime | None:
    return datetime.fromisoformat(at) if isinstance(at, str) else at
