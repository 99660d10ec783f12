"""The document ``workspace:``: its pair, sender, zone, slots, fields and data."""

import re

from pydantic import BaseModel, ConfigDict

from caravan.journeys.addresses import is_mailable
from caravan.journeys.conditions.counts import MOST
from caravan.journeys.fields import ENGAGEMENT, PERSONA, STANDARD, Entity, FieldCatalog, FieldType
from caravan.journeys.plan import SenderDocument
from caravan.journeys.reading import Fields, read_slot
from caravan.journeys.time import EndsOn
from caravan.journeys.written import shown
from caravan.journeys.zones import ACCOUNT

FIELD_TYPES: tuple[FieldType, ...] = ("string", "integer", "number", "boolean", "date", "datetime")

#: fields that nobody writes
TOLD_OF_PERSONS = (ENGAGEMENT, PERSONA)

SCORE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}")

#: names of a pair become schemas of the databases, whose names have 63 letters
PAIR_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,50}", re.IGNORECASE)


class SubscriptionNames(BaseModel):
    model_config = ConfigDict(frozen=True)

    munchkin: str
    sandbox: str


class WorkspaceDocument(BaseModel):
    model_config = ConfigDict(frozen=True)

    workspace: str
    subscription: SubscriptionNames | None = None
    sender: SenderDocument = SenderDocument()
    postal_address: str = ""
    zone: str = "UTC"
    zone_of_account: bool = False  # it says `account`; the zone is for whoever has none
    slots: dict[str, EndsOn] = {}
    catalog: FieldCatalog = FieldCatalog()
    activities_to_platform: bool = False
    data: str | None = None

    @property
    def pair(self) -> SubscriptionNames:
        """The pair it works with; one named after the workspace if it names none."""
        return self.subscription or SubscriptionNames(
            munchkin=self.workspace, sandbox=self.workspace
        )


def read_workspace_document(fields: Fields) -> WorkspaceDocument | None:
    """From its mapping; what is wrong keeps its default, so that the rest can be checked."""
    slug = fields.slug("workspace")
    subscription = _read_subscription(fields, slug)
    sender = _read_sender(fields.inner("sender"))
    address, zone = fields.text("postal_address") or "", fields.zone() or "UTC"
    of_account = zone == ACCOUNT
    slots = _read_slots(fields)
    catalog = _read_catalog(fields)
    catalog = catalog.model_copy(update={"scores": _read_scores(fields, catalog)})
    activities = fields.boolean("activities_to_platform", False)
    data = fields.text("data")
    fields.finish()
    if slug is None:
        return None
    return WorkspaceDocument(
        workspace=slug,
        subscription=subscription,
        sender=sender,
        postal_address=address,
        zone="UTC" if of_account else zone,
        zone_of_account=of_account,
        slots=slots,
        catalog=catalog,
        activities_to_platform=activities,
        data=data,
    )


def _read_subscription(fields: Fields, slug: str | None) -> SubscriptionNames | None:
    if not fields.has("subscription"):
        if slug is not None and not PAIR_NAME.fullmatch(slug):
            fields.problem(
                "bad-value",
                "workspace",
                "the name is longer than 51 characters, which a pair's may have at most; "
                "name a pair under subscription: {munchkin, sandbox}",
            )
        return None
    inner = fields.inner("subscription")
    munchkin, sandbox = inner.text("munchkin"), inner.text("sandbox")
    for key, value in (("munchkin", munchkin), ("sandbox", sandbox)):
        if value is None or not PAIR_NAME.fullmatch(value):
            inner.problem("bad-value", key, f"{key} takes letters, digits and dashes, at most 51")
    if not inner.finish() or munchkin is None or sandbox is None:
        return None
    return SubscriptionNames(munchkin=munchkin, sandbox=sandbox)


def _read_sender(fields: Fields) -> SenderDocument:
    name, email, reply_to = fields.text("name"), fields.text("email"), fields.text("reply_to")
    for key, address in (("email", email), ("reply_to", reply_to)):
        if address and not is_mailable(address):
            fields.problem("bad-value", key, f"{address} is not a mail address")
    fields.finish()
    return SenderDocument(name=name or "", email=email or "", reply_to=reply_to)


def _read_slots(fields: Fields) -> dict[str, EndsOn]:
    read = {
        name: read_slot(fields.within(raw, "slots", name))
        for name, raw in fields.mapping("slots").items()
    }
    return {name: slot for name, slot in read.items() if slot is not None}


def _read_catalog(fields: Fields) -> FieldCatalog:
    inner = fields.inner("fields")
    custom = {entity: _read_fields(inner.inner(entity), entity) for entity in STANDARD}
    inner.finish()
    return FieldCatalog(custom=custom)


def _read_fields(fields: Fields, entity: Entity) -> dict[str, FieldType]:
    known: dict[str, FieldType] = {}
    if len(fields.raw) > fields.limits.custom_fields:
        fields.problem(
            "bad-value",
            None,
            f"{fields.path[-1]} has at most {fields.limits.custom_fields} custom fields, not "
            f"{len(fields.raw)} {fields.limits.over('custom_fields')}",
        )
    for name, kind in fields.raw.items():
        if kind not in FIELD_TYPES:
            fields.problem(
                "bad-value", name, f"{shown(kind)} is not a type: {', '.join(FIELD_TYPES)}"
            )
        elif not name.isidentifier() or len(name) > 63:
            fields.problem(
                "bad-value", name, f"{name!r} is not a field name: letters, digits and _"
            )
        elif name in STANDARD[entity] or (entity == "person" and name in TOLD_OF_PERSONS):
            fields.problem("duplicate-key", name, f"{name} is a standard field of {entity}")
        else:
            known[name] = kind
    return known


def _read_scores(fields: Fields, catalog: FieldCatalog) -> dict[str, int]:
    """Scores of people, each with what a person starts with; conditions ask for them as for fields."""
    inner = fields.inner("scores")
    scores: dict[str, int] = {}
    for name in inner.raw:
        score = inner.inner(name)
        start = score.count("start", 0, least=-MOST)
        score.finish()
        if name in catalog.of("person") or name in TOLD_OF_PERSONS:
            inner.problem("duplicate-key", name, f"{name} is a field of the person already")
        elif not SCORE_NAME.fullmatch(name):
            inner.problem(
                "bad-value", name, f"{name!r} is not a score: letters, digits, _ and -, at most 63"
            )
        else:
            scores[name] = start
    return scores
