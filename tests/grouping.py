"""Buying groups in store tests: documents as models, accounts with people, and the groups they make."""

from dataclasses import dataclass, field
from typing import Any

from caravan.buying_groups import membership, storing, upkeep
from caravan.buying_groups.precedence import Source
from caravan.campaigns import buying_group_intake, buying_group_upkeep
from caravan.journeys.conditions import model
from caravan.journeys.conditions.model import Condition
from caravan.journeys.documents.buying_groups import BuyingGroupsDocument
from caravan.journeys.documents.roles_template import RolesTemplateDocument, TemplateRole
from caravan.journeys.documents.score_model import ScoreModelDocument
from caravan.journeys.documents.settings import WorkspaceDocument
from caravan.journeys.documents.solution_interest import SolutionInterestDocument
from caravan.journeys.documents.stage_model import Stage, StageModelDocument
from tests.world import World


def titled(*starts: str) -> Condition:
    """Whose job title starts with one of these."""
    check = model.Check(operator="starts_with", operands=starts)
    return model.PersonIs(tests={"job_title": model.Test(type="string", checks=(check,))})


TEAM = RolesTemplateDocument(
    roles_template="team",
    roles=(
        TemplateRole(role="decision-maker", weight=100, required=True, when=titled("Chief", "VP")),
        TemplateRole(role="practitioner", required=True, members_required=3, when=titled("Eng")),
        TemplateRole(role="champion", weight=40),
    ),
)
STAGES = StageModelDocument(
    stage_model="stages",
    stages=(
        Stage(stage="open", entry=True, to=("engaged", "lost")),
        Stage(stage="engaged", to=("won", "lost")),
        Stage(stage="won", success=True),
        Stage(stage="lost", failure=True, to=("open",)),
    ),
)
GRID = SolutionInterestDocument(
    solution_interest="grid", roles_template="team", stage_model="stages"
)
JOB = BuyingGroupsDocument(buying_groups="all", solution_interest="grid", audience="everyone")


@dataclass(frozen=True)
class Documents:
    """What of a workspace concerns buying groups."""

    settings: WorkspaceDocument = field(default_factory=lambda: WorkspaceDocument(workspace="ws"))
    roles_templates: dict[str, RolesTemplateDocument] = field(
        default_factory=lambda: {"team": TEAM}
    )
    stage_models: dict[str, StageModelDocument] = field(default_factory=lambda: {"stages": STAGES})
    solution_interests: dict[str, SolutionInterestDocument] = field(
        default_factory=lambda: {"grid": GRID}
    )
    buying_group_jobs: dict[str, BuyingGroupsDocument] = field(default_factory=lambda: {"all": JOB})
    score_models: dict[str, ScoreModelDocument] = field(default_factory=dict)


class Grouping:
    """A world with buying groups."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def store(self, documents: Documents) -> storing.Stored:
        async with self.world.engage.acquire() as conn, conn.transaction():
            return await storing.store(conn, documents, self.world.now)

    async def people(self, **of_account: str) -> None:
        """Accounts with people: ``a="Chief,Eng"`` makes ``a1`` a Chief and ``a2`` an Eng."""
        ids = iter(range(1, 10_000))
        for account, titles in of_account.items():
            account_id = next(ids)
            await self.world.engage.execute(
                "insert into accounts (id, external_id, attributes) values ($1, $2, $3)",
                account_id,
                account,
                {"name": account},
            )
            for number, title in enumerate(filter(None, titles.split(",")), 1):
                person_id = next(ids)
                await self.world.engage.execute(
                    "insert into people (id, external_id, attributes) values ($1, $2, $3)",
                    person_id,
                    f"{account}{number}",
                    {"job_title": title, "email": f"{account}{number}@x.example"},
                )
                await self.relate(account, f"{account}{number}")

    async def relate(self, account: str, person: str) -> None:
        await self.world.engage.execute(
            "insert into relations (id, account_id, person_id)"
            " select coalesce(max(id), 0) + 1, $1, $2 from relations",
            await self.id_of("accounts", account),
            await self.id_of("people", person),
        )

    async def id_of(self, table: str, external_id: str) -> int:
        found = await self.world.engage.fetchval(
            f"select id from {table} where external_id = $1", external_id
        )
        return int(found)

    async def group(self, account: str, solution_interest: str = "grid") -> int:
        """The group of an account; one is made where there is none."""
        account_id = await self.id_of("accounts", account)
        found = await membership.group_of(self.world.engage, account_id, solution_interest)
        if found is not None:
            return found
        made = await self.world.engage.fetchval(
            "insert into buying_groups (account_id, solution_interest, template_id, stage_model_id, created_at)"
            " select $1, i.slug, (select max(id) from roles_templates t where t.slug = i.roles_template),"
            " (select max(id) from stage_models m where m.slug = i.stage_model), $3"
            " from solution_interests i where i.slug = $2 returning id",
            account_id,
            solution_interest,
            self.world.now,
        )
        return int(made)

    async def assign(
        self, group_id: int, role: str, source: Source, *people: str
    ) -> membership.Changed:
        ids = [await self.id_of("people", one) for one in people]
        async with self.world.engage.acquire() as conn, conn.transaction():
            return await membership.assign(conn, group_id, ids, role, source, self.world.now)

    async def remove(self, group_id: int, source: Source, *people: str) -> membership.Changed:
        ids = [await self.id_of("people", one) for one in people]
        async with self.world.engage.acquire() as conn, conn.transaction():
            return await membership.remove(conn, group_id, ids, source, self.world.now)

    async def members(self, group_id: int) -> dict[str, tuple[str, str, bool]]:
        """Role, source and whether removed, of everyone who is or was in a group."""
        rows = await self.world.engage.fetch(
            "select p.external_id, m.role, m.source, m.removed_at is not null as removed"
            " from buying_group_members m join people p on p.id = m.person_id"
            " where m.group_id = $1 order by p.external_id",
            group_id,
        )
        return {row["external_id"]: (row["role"], row["source"], row["removed"]) for row in rows}

    async def row(self, group_id: int) -> Any:
        return await self.world.engage.fetchrow(
            "select * from buying_groups where id = $1", group_id
        )

    async def keep(self) -> int:
        """Bring jobs' accounts in and answer all questions; returns how many there were."""
        world = self.world
        while await buying_group_intake.bring_in_page(
            world.engage, world.platform, world.plans, world.now
        ):
            pass
        total = 0
        while kept := await buying_group_upkeep.keep_page(world.engage, world.plans, world.now):
            total += kept
        return total

    async def upkeep(self) -> None:
        """The daily run."""
        await upkeep.question_all(self.world.engage)
        await self.keep()
