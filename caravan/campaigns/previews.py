"""A preview: what a mail would say to one person, written without a journey and noted nowhere; sent, it is a proof."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.campaigns import wording
from caravan.campaigns.group_tokens import NO_GROUP, group_in_words
from caravan.delivery.addresses import mailto
from caravan.delivery.compose import Sender, compile_body, compose
from caravan.delivery.message import Letter
from caravan.engage import sql as engage_sql
from caravan.journeys.documents import JourneyDocument
from caravan.journeys.time import in_zone
from caravan.journeys.workspace import Workspace
from caravan.journeys.zones import FIELD, Zones
from caravan.platform import sql as platform_sql

#: a page that shows the mail is the gateway's, by the number of a message: a preview has none
NO_PAGE = "https://view.invalid/"


@dataclass(frozen=True)
class Recipient:
    """A person of an account, as a store has them."""

    person: str
    person_fields: dict[str, Any]
    account: str
    account_fields: dict[str, Any]
    group: dict[str, Any]  # the token `buying_group`


async def in_engage(
    conn: Any, key: str, account: str | None, interest: str | None
) -> list[Recipient]:
    """A person by id or address in the engage store, once for each account of theirs."""
    found = []
    for row in _of(await engage_sql.fetch(conn, "find_recipients", key=key), account):
        group = dict(NO_GROUP)
        if interest is not None:
            told = await group_in_words(conn, row["account_id"], interest)
            group = {**told.said, "role": told.roles.get(row["person_id"])}
        found.append(_recipient(row, group))
    return found


async def in_platform(conn: Any, key: str, account: str | None) -> list[Recipient]:
    """The same in the Platform store, which has no buying groups."""
    rows = await platform_sql.fetch(conn, "find_recipients", key=key)
    return [_recipient(row, dict(NO_GROUP)) for row in _of(rows, account)]


def _of(rows: Sequence[Any], account: str | None) -> list[Any]:
    first = [row for row in rows if row["person_id"] == rows[0]["person_id"]]
    return [row for row in first if account in (None, row["account"])]


def _recipient(row: Any, group: dict[str, Any]) -> Recipient:
    return Recipient(
        row["person"], row["person_fields"], row["account"], row["account_fields"], group
    )


def preview(
    workspace: Workspace,
    slug: str,
    recipient: Recipient,
    journey: JourneyDocument | None,
    *,
    to_address: str,
    identity: str,
    at: datetime,
) -> Letter:
    """Write a workspace's mail as a journey would for this person.

    Args:
        workspace: has the template.
        slug: the template.
        recipient: for whom.
        journey: whose tokens `my` has and whose clock `now` shows; None: the workspace's.
        to_address: a mailable address.
        identity: its Message-ID.
        at: the instant.

    Raises:
        UnfitText: it cannot be made of this person's and account's data.
    """
    settings = workspace.settings
    clock = journey or settings
    own = recipient.account_fields.get(FIELD)
    zone = Zones(clock.zone, own, clock.zone_of_account).of()
    sender = settings.sender
    leave = mailto(sender.reply_to or sender.email, "unsubscribe")
    tokens = wording.tokens(
        workspace.catalog,
        journey.tokens if journey else {},
        in_zone(at, zone),
        recipient.account_fields,
        recipient.person_fields,
    ) | {
        "postal_address": settings.postal_address,
        "unsubscribe_link": leave,
        "view_link": NO_PAGE,
        "buying_group": recipient.group,
    }
    outgoing = compose(
        compile_body(workspace.templates[slug]),
        tokens,
        sender=Sender(sender.name, sender.email, sender.reply_to),
        message_id=identity,
        at=at,
        to_address=to_address,
    )
    assert isinstance(outgoing.write, Letter)
    return outgoing.write
