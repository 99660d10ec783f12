"""``caravan buying-group jobs``: which jobs make groups, of whom, and how far they are."""

from dataclasses import asdict

from caravan.campaigns import buying_group_jobs
from starter.output import Format, FormatOption, as_json, show
from starter.session import Session, SubscriptionOption, run_with


def jobs(form: FormatOption = Format.table, subscription: SubscriptionOption = None) -> None:
    """List jobs: how many accounts their audience has, how many of them have their group, and the last upkeep.

    A job is a document `buying_groups:` of a workspace. It makes a group for every account of its audience,
    also of those that come later, and keeps their members up: daily, and within seconds of a change to a
    person, a relation or the audience. Taken out of the workspace it is deleted: its groups stay, and are
    kept up no more. `waiting` are groups in question that upkeep has not come to yet.
    """

    async def body(session: Session) -> None:
        found = await buying_group_jobs.jobs(await session.engage(), await session.platform())
        if form is Format.json:
            print(
                as_json(
                    [
                        {"job": job.slug} | {k: v for k, v in asdict(job).items() if k != "slug"}
                        for job in found
                    ]
                )
            )
            return
        rows = [
            {
                "job": job.slug,
                "solution_interest": job.solution_interest,
                "audience": job.audience,
                "state": job.state,
                "groups": f"{job.made} of {job.accounts}",
                "waiting": job.waiting,
                "last_upkeep": job.kept_at,
            }
            for job in found
        ]
        show(rows, form, empty="no jobs; a document `buying_groups:` in a workspace is one")

    run_with(subscription, body)
