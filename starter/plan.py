"""``caravan plan DIR``: what ``caravan apply DIR`` would change, before anything happens."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from caravan.buying_groups.planning import Effect
from caravan.campaigns import planning
from caravan.campaigns.managed_fields import refuse_changes_in_use
from caravan.campaigns.planning import Plan
from caravan.platform.sandboxes import pairings
from starter.errors import UserError
from starter.output import Format, FormatOption, as_json, console, plainly, plural, show
from starter.progress import bar, follow
from starter.session import Session, open_stores, run
from starter.validate import DirectoryArgument, errors_in_words, read_workspace, tell


def plan(directory: DirectoryArgument, form: FormatOption = Format.table) -> None:
    """Tell what `caravan apply DIR` would change, and change nothing.

    For communication limits, roles templates, stage models, solution interests, jobs and the score model:
    which are new, changed or gone, and what changed. For the groups they concern: how many follow, how many members would come,
    play another role or leave, who would be qualified, and who stands on a stage that is gone: found out by
    doing it and taking it back, so this is what upkeep will do, unless people or accounts change meanwhile.
    For journeys: new, changed, unchanged, or ended. Data files are not looked at.
    """
    workspace = read_workspace(directory, datetime.now(UTC))
    if form is Format.table or workspace.errors:
        tell(directory, list(workspace.problems))
    if workspace.errors:
        raise UserError(f"{errors_in_words(workspace)}; mend them first")

    async def body() -> Plan:
        async with open_stores() as (settings, stores):
            pair = workspace.settings.pair
            known = {row["munchkin"] for row in await pairings(settings.platform_dsn)}
            if pair.munchkin not in known:
                return planning.first(workspace)
            session = Session(settings, stores, pair.munchkin)
            engage, platform = await session.engage(), await session.platform()
            await refuse_changes_in_use(engage, platform, workspace)
            with bar("accounts", transient=True) as progress:
                moved = follow(progress)
                return await planning.plan(
                    engage,
                    platform,
                    workspace,
                    datetime.now(UTC),
                    lambda done, accounts: moved("trying it", done, done, accounts),
                )

    found = run(body())
    if form is Format.json:
        print(as_json(_told(found)))
    else:
        _print(found)


def _told(found: Plan) -> dict[str, Any]:
    return {
        "changes": not found.is_empty,
        "documents": [asdict(one) | {"words": list(one.words)} for one in found.documents],
        "solution_interests": [
            {"solution_interest": slug} | vars(effect)
            for slug, effect in sorted(found.effects.items())
        ],
        "accounts_to_come": dict(found.to_come),
        "journeys": [asdict(one) for one in found.journeys],
    }


def _print(found: Plan) -> None:
    if found.documents:
        rows = [
            {
                "document": f"{one.kind}: {one.slug}",
                "change": f"{one.change}, v{one.version}" if one.version else one.change,
                "what": "; ".join(one.words),
            }
            for one in found.documents
        ]
        show(rows, Format.table, title="Documents")
        console.print()
    for slug, effect in sorted(found.effects.items()):
        lines = effect_in_words(effect)
        if lines:
            plainly(f"Groups of {slug}, at their next upkeep:")
            for line in lines:
                plainly(f"  {line}")
    if any(one.kind == "score_model" and one.change == "changed" for one in found.documents):
        plainly(
            "Engagement is scored by the changed model from its next scale on, within seconds of apply; "
            "whom that qualifies is not in these numbers"
        )
    for job, accounts in sorted(found.to_come.items()):
        if accounts:
            plainly(
                f"{job} brings in {plural(accounts, 'account')} first, a group each; "
                "who their members are shows then"
            )
    if found.effects or any(found.to_come.values()):
        console.print()
    journeys: list[dict[str, Any]] = [
        {
            "journey": one.slug,
            "change": one.change,
            "version": one.version,
            "what": one.words or WORDS.get(one.change),
        }
        for one in found.journeys
    ]
    show(journeys, Format.table, title="Journeys", empty="no journeys in this workspace")
    if found.is_empty:
        plainly("Nothing would change")


WORDS = {
    "changed": "`caravan journey plan SLUG --dir DIR` tells it node by node",
    "ended": "not published again by apply: `caravan journey publish SLUG --reopen`",
    "left": "not in the workspace: it goes on as it is",
}


def effect_in_words(effect: Effect) -> list[str]:
    """What upkeep will do, one sentence a line; nothing where all stays as it is."""
    lines = []
    if effect.made:
        lines.append(f"{plural(effect.made, 'group')} made")
    if effect.other_roles:
        lines.append(f"{plural(effect.other_roles, 'group')} with other roles")
    if effect.other_stages:
        lines.append(f"{plural(effect.other_stages, 'group')} with another stage model")
    members = [
        f"{count} {what}"
        for count, what in (
            (effect.added, "comes" if effect.added == 1 else "come"),
            (
                effect.changed,
                "plays another role" if effect.changed == 1 else "play another role",
            ),
            (effect.removed, "leaves" if effect.removed == 1 else "leave"),
        )
        if count
    ]
    if members:
        lines.append(f"members: {', '.join(members)}")
    completeness = [
        f"{plural(count, 'group')} {what}"
        for count, what in (
            (effect.more_complete, "more complete"),
            (effect.less_complete, "less complete"),
        )
        if count
    ]
    if completeness:
        lines.append(", ".join(completeness))
    if effect.qualified:
        lines.append(f"{plural(effect.qualified, 'group')} marketing-qualified by it")
    for stage, groups in sorted(effect.lacking.items()):
        lines.append(
            f"{plural(groups, 'group')} on the stage {stage}, which the model will not have: "
            f"{'it stays there until it begins' if groups == 1 else 'they stay there until they begin'} anew"
        )
    return lines
