"""The action ``send_sales_alert``: what a salesperson should know of the account's buying group, by mail.

It goes to addresses and not to people: each is a row of the ledger whose person is a negative number, -1 for the
first address that the action names. It is operational by nature, so nobody's opting out and no limit holds it
back; what cannot or must not be reached does.
"""

from collections.abc import Sequence

from caravan.buying_groups.membership import group_of
from caravan.campaigns import sales_alert_facts
from caravan.campaigns.candidates import Candidate
from caravan.campaigns.effects import Place
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.visit import Visit
from caravan.delivery.compose import Sender, compose
from caravan.delivery.sales_alert import TEMPLATE
from caravan.delivery.transport import Outgoing
from caravan.engage import sql
from caravan.journeys.actions.send_sales_alert import SendSalesAlert
from caravan.journeys.reasons import SkipReason
from caravan.journeys.suppressing import keys_of


async def recipients(visit: Visit, place: Place, action: SendSalesAlert) -> list[Candidate]:
    """The addresses, as people of the ledger."""
    return [
        Candidate(-number, {"email": address}) for number, address in enumerate(action.to, start=1)
    ]


async def reasons(
    visit: Visit, mailing: Mailing, action: SendSalesAlert, people: Sequence[Candidate]
) -> dict[int, SkipReason | None]:
    """Why the alert does not go to these addresses."""
    group = await group_of(visit.conn, visit.traversal.account_id, action.solution_interest)
    if group is None:
        return {one.id: SkipReason.NO_BUYING_GROUP for one in people}
    keys = [(one.id, key) for one in people for key in keys_of(one.attributes["email"])]
    rows = await sql.fetch(
        visit.conn,
        "alert_addresses_suppressed",
        owners=[owner for owner, _ in keys],
        subjects=[key for _, key in keys],
    )
    why = {
        row["owner"]: SkipReason.INVALID_ADDRESS if row["bounces"] else SkipReason.BLOCKED
        for row in rows
    }
    return {one.id: why.get(one.id) for one in people}


async def write(
    visit: Visit,
    mailing: Mailing,
    action: SendSalesAlert,
    person: Candidate,
    identity: str,
    number: int,
) -> Outgoing:
    """Compose the alert.

    Raises:
        UnfitText: the group is gone, or the workspace's sender is no mail address.
    """
    sender, munchkin = visit.loaded.plan.sender, visit.traversal.munchkin
    back = mailing.return_path
    return compose(
        TEMPLATE,
        await sales_alert_facts.gather(visit, action, mailing.alert_prose),
        sender=Sender(sender.name, sender.email, sender.reply_to),
        message_id=identity,
        at=visit.as_of,
        to_address=person.attributes["email"],
        envelope_from=back.address(munchkin, number) if back is not None else None,
        sign=mailing.sign,
    )
