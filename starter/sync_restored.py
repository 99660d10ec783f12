"""``caravan sync restored``: say that a store was restored from a backup."""

from caravan.platform.restored import Begun, begin_anew
from starter.output import Format, FormatOption, as_json, plainly
from starter.session import Session, SubscriptionOption, run_with


def restored(form: FormatOption = Format.table, subscription: SubscriptionOption = None) -> None:
    """Say that a store of this subscription was restored from a backup, before workers go on with it.

    Both stores then read all that the other still has to tell once more: what is known already changes nothing.
    Needed after a restore of either store, or of both at different instants; never harmful. It may be given again.
    Then `caravan sync verify` shows what neither can tell any more.
    """

    async def body(session: Session) -> tuple[str, Begun]:
        begun = await begin_anew(await session.engage(), await session.platform(), session.munchkin)
        return session.munchkin, begun

    munchkin, begun = run_with(subscription, body)
    if form is Format.json:
        print(as_json({"subscription": munchkin} | vars(begun)))
        return
    plainly(
        f"{munchkin}: epoch {begun.engage} begins in the engage store, epoch {begun.platform} in the Platform, whose "
        f"new records have numbers above {begun.numbers_from}. `caravan sync verify` compares the two"
    )
