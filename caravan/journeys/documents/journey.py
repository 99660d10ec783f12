"""The document ``journey:``: its audience, schedule, tokens and nodes."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from caravan.journeys.conditions.parse import nearest
from caravan.journeys.documents.entry import read_admit, read_reentry
from caravan.journeys.documents.exits import is_reserved, read_exits
from caravan.journeys.documents.schedule import read_schedule
from caravan.journeys.documents.settings import WorkspaceDocument
from caravan.journeys.entry import Admit, Reentry
from caravan.journeys.exits import Exit
from caravan.journeys.nodes import Node
from caravan.journeys.nodes.reading import read_node
from caravan.journeys.reading import NAME_LIMIT, Fields, JourneyScope
from caravan.journeys.schedule import Schedule
from caravan.journeys.shape import check_shape
from caravan.journeys.zones import ACCOUNT


class JourneyDocument(BaseModel):
    model_config = ConfigDict(frozen=True)

    journey: str
    name: str
    audience: str
    of_list: bool = False
    zone: str
    zone_of_account: bool = False
    schedule: Schedule
    tokens: dict[str, str] = {}
    start: str
    nodes: dict[str, Node]  # those of exits among them
    exits: tuple[Exit, ...] = ()
    admit: Admit = Admit()
    reentry: Reentry | None = None
    deduplicate_email: bool = False


def read_journey(
    fields: Fields, workspace: WorkspaceDocument, scope: JourneyScope, at: datetime
) -> JourneyDocument | None:
    """From its mapping; None where anything in it is wrong.

    Args:
        fields: the document.
        workspace: whose zone holds where the journey names none.
        scope: what it may speak of.
        at: the instant it is published at.
    """
    slug = fields.slug("journey")
    name = fields.text("name", limit="journey_name")
    audience = _read_audience_name(fields, scope)
    of_list = isinstance(fields.raw.get("audience"), dict)
    said = fields.zone()
    zone = workspace.zone if said in (None, ACCOUNT) else said
    of_account = said == ACCOUNT or (said is None and workspace.zone_of_account)
    schedule = read_schedule(fields, zone, at)
    tokens = _read_tokens(fields.inner("tokens"))
    admit, reentry = read_admit(fields), read_reentry(fields)
    deduplicate = fields.boolean("deduplicate_email", default=False)
    raw_nodes = fields.mapping("nodes")
    for node in raw_nodes:
        if is_reserved(node):
            fields.report(
                "bad-value",
                (*fields.path, "nodes", node),
                f"{node} is a name that only exits have; a node's does not begin with exit:",
            )
            fields.fine = False
        if len(node) > NAME_LIMIT or not node.isprintable():
            fields.report(
                "text-too-long" if len(node) > NAME_LIMIT else "bad-value",
                (*fields.path, "nodes", node),
                f"a node's name is at most {NAME_LIMIT} printable characters",
            )
            fields.fine = False
    if not raw_nodes:
        fields.problem("missing-key", None, "a journey needs nodes")
    start = fields.text("start") if fields.required("start") is not None else None
    if start is not None and start not in raw_nodes:
        fields.problem("unknown-node", "start", f"no node {start}{nearest(start, raw_nodes)}")
    read = {
        node: read_node(fields.within(raw, "nodes", node), scope) for node, raw in raw_nodes.items()
    }
    exits = read_exits(fields, scope)
    check_shape(fields, start, raw_nodes, read, exits)
    fields.finish()
    if (
        slug is None
        or audience is None
        or schedule is None
        or tokens is None
        or None in read.values()
        or exits is None
        or admit is None
        or start is None
    ):
        return None
    return JourneyDocument(
        journey=slug,
        name=name or slug,
        audience=audience,
        of_list=of_list,
        zone=zone,
        zone_of_account=of_account,
        schedule=schedule,
        tokens=tokens,
        start=start,
        nodes={node: one for node, one in read.items() if one is not None} | exits[1],
        exits=exits[0],
        admit=admit,
        reentry=reentry,
        deduplicate_email=deduplicate,
    )


def _read_audience_name(fields: Fields, scope: JourneyScope) -> str | None:
    raw = fields.required("audience")
    if raw is None:
        return None
    if isinstance(raw, dict):
        return _read_list_name(fields.inner("audience"), scope)
    name = fields.text("audience")
    if name is not None and name not in scope.audience_names:
        fields.problem(
            "unknown-audience",
            "audience",
            f"no account audience {name}{nearest(name, scope.audience_names)}",
        )
        return None
    return name


def _read_list_name(fields: Fields, scope: JourneyScope) -> str | None:
    """``{list: slug}``: a list of accounts as audience."""
    name = fields.text("list") if fields.required("list") is not None else None
    known, people = scope.conditions.account_lists, scope.conditions.people_lists
    if name is not None and name not in known:
        if name in people:
            fields.problem("wrong-context", "list", f"{name} is a list of people; accounts travel")
        else:
            fields.problem(
                "unknown-list", "list", f"no list {name} of accounts{nearest(name, known)}"
            )
    return name if fields.finish() else None


def _read_tokens(fields: Fields) -> dict[str, str] | None:
    """Texts as they were written; one without a value is empty."""
    tokens = {name: fields.text(name) or "" for name in fields.raw}
    return tokens if fields.finish() else None
