"""``caravan sync verify``: both stores of a subscription, compared field by field."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from caravan.platform import convergence
from caravan.platform.convergence import Convergence, Difference
from caravan.platform.repair import Repaired
from caravan.platform.repair import repair as repair_differences
from starter.errors import Failed
from starter.output import Format, FormatOption, as_json, plainly, plural, show
from starter.progress import bar, count
from starter.session import Session, SubscriptionOption, run_with

#: of differences, in a table; JSON has all that were found
SHOWN = 200
COLUMNS = ("entity", "id", "field", "engage", "platform", "counts")


def verify(
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Send the value that wins again, so that the streams correct the other store.",
        ),
    ] = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Compare the engage store with the Platform: every field of every account, person, relation and opportunity it holds.

    What is on its way between them is no difference: what differs is looked at twice, and only what nothing is
    under way about is listed. Also whether the Platform holds anything of buying groups, which it never should.
    Exits 1 where there is a difference, with `--repair` too: run it again when the streams have had their time.

    Of each difference the later word counts, and the Platform's where both are of one instant.
    """

    async def body(session: Session) -> tuple[Convergence, Repaired | None]:
        engage, platform = await session.engage(), await session.platform()
        with bar("compared", transient=True) as progress:
            found = await convergence.compare(engage, platform, session.munchkin, count(progress))
        done = None
        if repair and found.differences:
            done = await repair_differences(engage, platform, found.differences, datetime.now(UTC))
        return found, done

    found, repaired = run_with(subscription, body)
    rows = [_row(one) for one in found.differences]
    if form is Format.json:
        print(as_json(_told(found, rows, repaired)))
    else:
        _print(found, rows, repaired)
    wrong = []
    if rows:
        more = " or more" if found.more else ""
        wrong.append(
            f"{plural(len(rows), 'difference')}{more} between the engage store and the Platform"
        )
    if found.of_groups:
        wrong.append("the Platform holds something of buying groups")
    if wrong:
        remedy = "" if repair or not rows else "; `caravan sync verify --repair` has them mended"
        raise Failed("; ".join(wrong) + remedy)


def _row(one: Difference) -> dict[str, Any]:
    return {
        "entity": one.entity,
        "id": one.external_id or one.id,
        "number": one.id,
        "field": one.field,
        "engage": one.engage,
        "platform": one.platform,
        "counts": "engage" if one.engage_is_later else "platform",
    }


def _told(
    found: Convergence, rows: list[dict[str, Any]], repaired: Repaired | None
) -> dict[str, Any]:
    return {
        "compared": found.compared,
        "under_way": found.under_way,
        "differences": rows,
        "more": found.more,
        "of_buying_groups": found.of_groups,
        "repaired": None if repaired is None else vars(repaired),
    }


def _print(found: Convergence, rows: list[dict[str, Any]], repaired: Repaired | None) -> None:
    plainly(
        "compared: " + ", ".join(plural(n, _PLURAL[entity]) for entity, n in found.compared.items())
    )
    if found.under_way:
        plainly(f"under way between the stores: {plural(found.under_way, 'record')}")
    show(
        rows[:SHOWN],
        Format.table,
        title="Differences",
        columns=COLUMNS,
        empty="none: both stores say the same",
    )
    if len(rows) > SHOWN:
        plainly(f"… and {len(rows) - SHOWN} more; --format json has them")
    if found.of_groups:
        plainly(f"of buying groups, in the Platform: {', '.join(found.of_groups)}")
    else:
        plainly("of buying groups the Platform holds nothing")
    if repaired is not None:
        plainly(
            f"told again: {repaired.up} up, {repaired.down} down; came back to the Platform: {repaired.returned}. "
            "The streams mend them now; verify again"
        )


#: so that `plural` makes of it what English does
_PLURAL = {
    "account": "account",
    "person": "person record",
    "relation": "relation",
    "opportunity": "opportunity record",
}
