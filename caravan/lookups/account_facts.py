"""The facts of an account: where it stands, its ways, what its people did and were sent; each with its record."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from caravan.buying_groups.completeness import shown
from caravan.buying_groups.listing import Filters, groups
from caravan.engage import sql
from caravan.engage.awaiting_entry import awaiting_entry
from caravan.reports.account_steps import Names, way_of
from caravan.reports.activity_words import in_words as activity_in_words
from caravan.reports.facts import Fact, Facts, fitting
from caravan.reports.phrases import Phrase, joined, phrase
from caravan.reports.pseudonyms import MOST_KNOWN, Pseudonyms
from caravan.reports.readable import readable
from caravan.reports.reason_words import in_words, reason
from caravan.reports.wording import counted

#: of each kind, the latest: what is told fits into a question
MOST_WAYS, MOST_STEPS, MOST_ACTIVITIES, MOST_MESSAGES = 8, 40, 30, 30
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
    rows = await sql.fetch(
        conn, "people_ever_of_account", account_id=account["id"], limit=MOST_KNOWN + 1
    )
    for row in rows:
        pseudonyms.person(row["id"], row["external_id"], row["attributes"])
    if len(rows) > MOST_KNOWN:
        pseudonyms.not_everybody()


async def standing(conn: Any, account: Any, pseudonyms: Pseudonyms, at: datetime) -> list[Fact]:
    """Where an account stands, without the steps that led there."""
    me, about = pseudonyms.whose(f"account {account['id']}"), _about(account["id"])
    facts = [await itself(conn, account, pseudonyms)]
    for row in await sql.fetch(conn, "traversals_of_account", account_id=account["id"]):
        facts.append(traversal(row, me, pseudonyms))
    for row in await sql.fetch(conn, "entries_of_account", account_id=account["id"]):
        if row["refused"] is not None:
            why = pseudonyms.hide(row["refused"])
            text = me + f" was not let into the journey {row['slug']}: " + why
            record = f"refusal:{account['id']}/{row['slug']}"
            facts.append(Fact(record, text, row["refused_at"], about))
    for one in await awaiting_entry(conn, account["id"], at):
        why = pseudonyms.hide(one.why)
        text = me + f" waits to enter the journey {one.journey} v{one.version}: " + why
        record = f"waiting:{account['id']}/{one.journey}/{one.version}"
        facts.append(Fact(record, text, one.queued_at, about))
    async for row in groups(conn, Filters(account=account["external_id"])):
        facts.append(group_standing(row, pseudonyms))
    return _last_ways(facts)


async def itself(conn: Any, account: Any, pseudonyms: Pseudonyms) -> Fact:
    """An account as such."""
    people = await sql.fetch(conn, "people_of_account", account_id=account["id"])
    known = counted(len(people), "known person", "known people")
    gone = f", deleted {readable(account['deleted_at'])}" if account["deleted_at"] else ""
    me = pseudonyms.whose(f"account {account['id']}")
    return Fact(f"account:{account['id']}", me + f" has {known}{gone}")


def _about(account_id: int) -> frozenset[str]:
    return frozenset((f"account {account_id}",))


def _last_ways(facts: list[Fact]) -> list[Fact]:
    last = [one for one in facts if one.record.startswith("traversal:")][-MOST_WAYS:]
    return [one for one in facts if not one.record.startswith("traversal:") or one in last]


def group_standing(row: Any, pseudonyms: Pseudonyms) -> Fact:
    """A row of ``listing.groups`` in a sentence."""
    lacks = joined(", ", map(pseudonyms.hide, row["empty_roles"]))
    parts = [
        "stage " + pseudonyms.hide(row["stage"]) if row["stage"] else "no stage",
        "status " + pseudonyms.hide(row["status"]) if row["status"] else None,
        f"completeness {shown(row['completeness'])} of 100",
        f"engagement {shown(row['engagement'])} of 100",
        counted(row["members"], "member", "members"),
        f"qualified since {readable(row['qualified_at'])}" if row["qualified_at"] else "not qualified",
        "nobody is " + lacks if row["empty_roles"] else None,
    ]  # fmt: skip
    of = "the buying group of " + pseudonyms.of_account(row["account"])
    text = of + f" for {row['solution_interest']}: " + joined(", ", filter(None, parts))
    return Fact(f"group:{row['id']}", text)


def traversal(row: Any, me: Phrase, pseudonyms: Pseudonyms) -> Fact:
    """An entry into a journey, and how it stands or ended."""
    state = row["state"]
    text = me + f" entered the journey {row['slug']} v{row['version']} (entry {row['entry']})"
    if row["ended_at"] is not None:
        text += f" and left it {readable(row['ended_at'])}: {row['reason']}"
        text += ", outcome " + pseudonyms.hide(row["label"]) if row["label"] else ""
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
        about = _about(account_id)
        facts += [_step(row["id"], way, step, pseudonyms, about) for step in way["steps"]]
    latest = fitting(reversed(facts[-MOST_STEPS:]), MOST_CHARACTERS)
    return latest[::-1]


async def _names(conn: Any, account_id: int, pseudonyms: Pseudonyms) -> Names:
    rows = await sql.fetch(conn, "people_ever_of_account", account_id=account_id, limit=MOST_KNOWN)
    people = {row["id"]: phrase(pseudonyms.of_person(row["external_id"])).told for row in rows}
    return {"person": people, "opportunity": {}}


def _step(
    traversal: int,
    way: Mapping[str, Any],
    step: Mapping[str, Any],
    pseudonyms: Pseudonyms,
    about: frozenset[str],
) -> Fact:
    kind = f" ({step['kind']})" if step.get("kind") else ""
    where = f"in {way['journey']} v{way['version']}, step {step['step']}, at the node {step['node']}{kind}: "
    parts: list[Phrase | str] = [where + pseudonyms.hide(step["told"])]
    if "because" in step:
        parts.append("because " + _told(step["because"], pseudonyms))
    for person, place in list((step.get("people") or {}).items())[:MOST_OF_A_STEP]:
        went = pseudonyms.of_person(person) + " took the path " + pseudonyms.hide(place["path"])
        because = _told(place["because"], pseudonyms)
        parts.append(went + " because " + because if because.parts else went)
    for effect in step.get("effects", [])[:MOST_OF_A_STEP]:
        parts.append(_effect(effect, pseudonyms))
    if step.get("next"):
        parts.append(f"then it went to {step['next']}")
    elif "outcome" in step and way["ended_at"] is not None and step is way["steps"][-1]:
        label = ", outcome " + pseudonyms.hide(way["label"]) if way["label"] else ""
        parts.append(f"then it left: {way['reason']}" + label)
    record = f"step:{traversal}/{step['step']}"
    return Fact(record, joined("; ", parts), _instant(step.get("at")), about)


def _told(because: Mapping[str, Any], pseudonyms: Pseudonyms) -> Phrase:
    """Phrases of what decided; our own pseudonyms in them stay."""
    phrases: list[Phrase] = []
    for key, value in because.items():
        if key.partition("(")[0] == "person" and pseudonyms.knows(str(value)):
            phrases.append(pseudonyms.hide(key.partition("(")[0]) + " " + pseudonyms.whose(value))
        else:
            phrases += map(pseudonyms.hide, in_words({key: value}))
    return joined("; ", phrases[:8])


def _effect(effect: Mapping[str, Any], pseudonyms: Pseudonyms) -> Phrase:
    whom = " for " + pseudonyms.of_person(effect["person"]) if "person" in effect else ""
    about = [
        str(effect[key])
        for key in ("template", "field", "list", "journey", "campaign", "score")
        if key in effect
    ]
    why = reason({"reason": None, "reply": None, **effect})
    did = joined(" ", [effect["action"].replace("_", " "), *map(pseudonyms.hide, about)])
    came = f": {effect['state'].replace('_', ' ')}"
    return did + whom + came + (", " + pseudonyms.hide(why) if why else "")


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
        text = pseudonyms.whose(who) + ": " + pseudonyms.hide(what)
        facts.append(Fact(f"event:{row['id']}", text, row["at"], _about(account_id) | {who}))
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
        path = ", path " + pseudonyms.hide(row["path"]) if row["path"] else ""
        by = f", by {row['journey']} v{row['version']}, node {row['node']}"
        came = f": {row['state'].replace('_', ' ')}" + (", " + pseudonyms.hide(why) if why else "")
        text = f"{what} to " + to + by + path + came
        record = f"message:{row['message_id'] or row['id']}"  # none where it was skipped
        facts.append(Fact(record, text, row["claimed_at"], _about(account_id)))
    return facts


def _instant(at: Any) -> datetime | None:
    return datetime.fromisoformat(at) if isinstance(at, str) else at
