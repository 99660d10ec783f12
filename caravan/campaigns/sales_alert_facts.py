"""What a sales alert tells: facts alone, read in the transaction that claims it (product.md §5.9)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from caravan.campaigns.alert_prose import AlertProse
from caravan.campaigns.visit import Visit
from caravan.delivery.errors import UnfitText
from caravan.engage import sql
from caravan.journeys.actions.send_sales_alert import SendSalesAlert
from caravan.journeys.conditions.sql import Binder, compile_condition
from caravan.reports.activity_words import in_words
from caravan.reports.facts import Fact, Facts
from caravan.reports.names import SOMEBODY
from caravan.reports.phrases import phrase
from caravan.reports.pseudonyms import MOST_KNOWN, Pseudonyms
from caravan.reports.wording import counted

#: members that are told of at length, and activities of each
MEMBERS, LATEST = 4, 2
#: members named as the most engaged
ENGAGED = 3
#: moments that are listed, of those of so long
MOMENTS = 5
MOMENTS_OF = timedelta(days=30)

#: what happens to people rather than is done by them
NOT_THEIRS = (
    "email_sent", "email_delivered", "email_bounced", "sms_sent", "sms_delivered", "sms_bounced",
    "person_changed", "score_changed", "interesting_moment", "added_to_buying_group",
    "removed_from_buying_group",
)  # fmt: skip


async def gather(
    visit: Visit, action: SendSalesAlert, prose: AlertProse | None = None
) -> dict[str, Any]:
    """The tokens of the alert's template.

    Args:
        visit: where the alert is claimed.
        action: what it is about.
        prose: has what a model made of these facts, or is told that nothing has been asked yet; None: facts alone.

    Raises:
        UnfitText: the account has no such group (any more).
    """
    account_id = visit.traversal.account_id
    group = await sql.fetchrow(
        visit.conn,
        "alert_group",
        account_id=account_id,
        solution_interest=action.solution_interest,
    )
    if group is None:
        raise UnfitText("there is no buying group to tell of")
    members = await _members(visit, action, group["id"])
    moments = await sql.fetch(
        visit.conn,
        "alert_moments",
        account_id=account_id,
        person_ids=[member["id"] for member in members],
        since=visit.as_of - MOMENTS_OF,
        as_of=visit.as_of,
        limit=MOMENTS,
    )
    roles = await sql.fetch(visit.conn, "buying_group_roles", group_id=group["id"])
    told = await _told(visit, group["id"], members[:MEMBERS])
    day = _Days(visit)
    account = visit.account.get("name") or "an account without a name"
    summary = None
    if prose is not None:
        around = await sql.fetch(
            visit.conn, "people_ever_of_account", account_id=account_id, limit=MOST_KNOWN + 1
        )
        facts = _facts(visit, action, group, [*around, *members], members[:MEMBERS], moments, roles, told)  # fmt: skip
        summary = prose.of((visit.traversal.id, visit.node, visit.number, repr(action)), facts)
    return {
        "summary": summary,
        "account": account,
        "solution_interest": action.solution_interest,
        "group": f"{account} · {action.solution_interest}",
        "engagement": _whole(group["engagement"]),
        "completeness": _whole(group["completeness"]),
        "stage": group["stage"],
        "status": group["status"],
        "qualified": day(group["qualified_at"]) if group["qualified_at"] else None,
        "engaged": [
            {"name": _name(one["attributes"]), "score": _whole(one["score"])}
            for one in members[:ENGAGED]
            if one["score"] > 0
        ],
        "missing": [
            {"role": role["role"], "has": role["people"], "needs": role["members_required"]}
            for role in roles
            if role["required"] and role["people"] < role["members_required"]
        ],
        "moments": [
            {
                "at": day(row["at"]),
                "who": _name(row["person"]) if row["person"] is not None else account,
                "text": row["text"] or row["type"] or "",
            }
            for row in moments
        ],
        "moments_total": moments[0]["total"] if moments else 0,
        "moments_days": MOMENTS_OF.days,
        "members": [_member(one, told[one["id"]], account, day) for one in members[:MEMBERS]],
        "members_total": len(members),
    }


def _facts(
    visit: Visit,
    action: SendSalesAlert,
    group: Any,
    known_people: Sequence[Any],
    members: Sequence[Any],
    moments: Sequence[Any],
    roles: Sequence[Any],
    told: Mapping[int, Any],
) -> Facts:
    """What the alert tells, as sentences with their records, without saying who anybody is."""
    known, number, day = Pseudonyms(), group["id"], _Days(visit)
    us = known.account(visit.traversal.account_id, group["account"], visit.account)
    about = frozenset((us.told,))
    people = {one["id"]: known.person(one["id"], one["external_id"], one["attributes"]) for one in known_people}  # fmt: skip
    if len(people) > MOST_KNOWN:
        known.not_everybody()
    qualified = (
        f"qualified since {day(group['qualified_at'])}"
        if group["qualified_at"]
        else "not qualified"
    )
    facts = [
        Fact(
            f"group:{number}",
            "the buying group of " + us
            + f" for {action.solution_interest}: engagement {_whole(group['engagement'])} of 100, "
            + f"completeness {_whole(group['completeness'])} of 100, stage " + known.hide(group["stage"] or "none")
            + ", status " + known.hide(group["status"] or "none") + f", {qualified}",
            about=about,
        )
    ]  # fmt: skip
    facts += [
        Fact(
            f"role:{number}/{place}",
            "the required role "
            + known.hide(role["role"])
            + f" has {role['people']} of {counted(role['members_required'], 'person', 'people')}",
            about=about,
        )
        for place, role in enumerate(roles, start=1)
        if role["required"] and role["people"] < role["members_required"]
    ]
    for one in members:
        who, title = people[one["id"]], one["attributes"].get("job_title")
        titled = ", job title " + known.hide(title) if title else ""
        said = (
            who + " is " + known.hide(one["role"]) + f", engagement {_whole(one['score'])}" + titled
        )
        facts.append(Fact(f"member:{number}/{one['id']}", said, about=about))
        facts += [
            Fact(
                f"event:{did['id']}",
                who + " " + known.hide(in_words(did["type"], did["fields"])),
                datetime.fromisoformat(did["at"]),
                about,
            )
            for did in told[one["id"]]["did"]
        ]
    for row in moments:
        who = us if row["person_id"] is None else people.get(row["person_id"], phrase(SOMEBODY))
        moment = who + ", a moment: " + known.hide(row["text"] or row["type"] or "")
        facts.append(Fact(f"event:{row['id']}", moment, row["at"], about))
    return Facts(f"buying group {number}", tuple(facts), known)


async def _members(visit: Visit, action: SendSalesAlert, group_id: int) -> list[Any]:
    """Whom of the group the alert is about: the most engaged first, of equals by role and then by id."""

    def build(binder: Binder) -> str:
        about = action.members
        allowed = compile_condition(about, "person", binder).predicate if about else "true"
        return (
            "select p.id, p.external_id, p.attributes, m.role, coalesce(e.score, 0) as score"
            " from buying_group_members m join people p on p.id = m.person_id"
            " join buying_groups g on g.id = m.group_id"
            f" join accounts a on a.id = {binder.named('account_id', 'bigint')}"
            " left join relations r on r.account_id = a.id and r.person_id = p.id and r.deleted_at is null"
            " left join template_roles t on t.template_id = g.template_id and t.role = m.role"
            " left join engagement_people e on e.person_id = p.id"
            f" where m.group_id = {binder.named('group_id', 'bigint')} and m.removed_at is null"
            f" and p.deleted_at is null and ({allowed})"
            " order by coalesce(e.score, 0) desc, t.priority nulls last, p.external_id"
        )

    # one action may stand several times at a node: what it asks is told by what it asks
    place = ("alert", visit.node, repr(action.members))
    query = visit.loaded.query(place, build, visit.zones)
    return await query.fetch(visit.conn, **visit.named, group_id=group_id)


async def _told(visit: Visit, group_id: int, members: Sequence[Any]) -> dict[int, Any]:
    rows = await sql.fetch(
        visit.conn,
        "alert_people",
        person_ids=[member["id"] for member in members],
        group_id=group_id,
        as_of=visit.as_of,
        not_theirs=list(NOT_THEIRS),
        latest=LATEST,
    )
    return {row["id"]: row for row in rows}


class _Days:
    """Instants as the days of the node's clock."""

    def __init__(self, visit: Visit) -> None:
        node = visit.loaded.plan.nodes[visit.node]
        self._zone = ZoneInfo(visit.zones.of(node.zone))

    def __call__(self, at: datetime) -> str:
        return at.astimezone(self._zone).date().isoformat()


def _member(one: Any, told: Any, account: str, day: _Days) -> dict[str, Any]:
    person: Mapping[str, Any] = one["attributes"]
    return {
        "name": _name(person),
        "title": person.get("job_title"),
        "role": one["role"],
        "score": _whole(one["score"]),
        "moment": {"at": day(told["moment_at"]), "text": told["moment"] or ""}
        if told["moment_at"]
        else None,
        "did": [
            {
                "at": day(datetime.fromisoformat(did["at"])),
                "what": in_words(did["type"], did["fields"]),
            }
            for did in told["did"]
        ],
        "groups": [
            f"{group['interest']} ({group['role']})"
            + (f" at {group['account']}" if group["account"] not in (None, account) else "")
            for group in told["groups"]
        ],
        "email": person.get("email"),
        "phone": person.get("mobile_phone") or person.get("phone"),
    }


def _name(person: Mapping[str, Any]) -> str:
    names = [person.get("first_name"), person.get("last_name")]
    return " ".join(str(name) for name in names if name) or str(person.get("email") or "somebody")


def _whole(score: Decimal) -> int:
    """A score as it is shown: rounded half up, as everywhere."""
    return int(Decimal(score).quantize(Decimal(1), ROUND_HALF_UP))
