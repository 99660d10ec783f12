"""Buying groups in tables, for tests of what reads them: rows as the engine would leave them."""

import itertools
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from caravan.journeys.documents.roles_template import RolesTemplateDocument, TemplateRole
from caravan.journeys.documents.stage_model import Stage, StageModelDocument

ROLES = RolesTemplateDocument(
    roles_template="team",
    roles=(
        TemplateRole(role="decision-maker", weight=100, required=True),
        TemplateRole(role="practitioner", required=True, members_required=3),
        TemplateRole(role="influencer", weight=40),
    ),
)
STAGES = StageModelDocument(
    stage_model="sales",
    stages=(
        Stage(stage="open", entry=True, to=("engaged", "lost")),
        Stage(stage="engaged", to=("ready", "lost")),
        Stage(stage="ready", success=True),
        Stage(stage="lost", failure=True, to=("open",)),
    ),
)


class Groups:
    """A roles template, a stage model and solution interests, and groups made one by one."""

    def __init__(self, engage: Any, at: datetime) -> None:
        self.engage = engage
        self.at = at
        self._ids = itertools.count(1)
        self.accounts: dict[str, int] = {}
        self.people: dict[str, int] = {}

    async def open(self, *interests: str) -> None:
        self.template = await self.engage.fetchval(
            "insert into roles_templates (slug, version, body, denominator, stored_at)"
            " values ('team', 1, $1, $2, $3) returning id",
            ROLES.model_dump(mode="json"),
            ROLES.denominator,
            self.at,
        )
        await self.engage.executemany(
            "insert into template_roles values ($1, $2, $3, $4, $5, $6, $7)",
            [
                (
                    self.template,
                    role.role,
                    number,
                    role.weight,
                    role.required,
                    role.members_required,
                    ROLES.parts(role),
                )
                for number, role in enumerate(ROLES.roles)
            ],
        )
        self.model = await self.engage.fetchval(
            "insert into stage_models (slug, version, body, stored_at) values ('sales', 1, $1, $2) returning id",
            STAGES.model_dump(mode="json"),
            self.at,
        )
        await self.engage.executemany(
            "insert into solution_interests values ($1, 'team', 'sales', null)",
            [(interest,) for interest in interests or ("grid",)],
        )

    async def account(self, external_id: str, name: str | None = None) -> int:
        if external_id not in self.accounts:
            self.accounts[external_id] = next(self._ids)
            await self.engage.execute(
                "insert into accounts (id, external_id, attributes) values ($1, $2, $3)",
                self.accounts[external_id],
                external_id,
                {"name": name or external_id.title()},
            )
        return self.accounts[external_id]

    async def person(self, external_id: str, **attributes: Any) -> int:
        if external_id not in self.people:
            self.people[external_id] = next(self._ids)
            await self.engage.execute(
                "insert into people (id, external_id, attributes) values ($1, $2, $3)",
                self.people[external_id],
                external_id,
                attributes,
            )
        return self.people[external_id]

    async def group(
        self,
        account: str,
        interest: str = "grid",
        *,
        name: str | None = None,
        stages: tuple[tuple[str, timedelta], ...] = (),
        status: str | None = None,
        completeness: str = "0",
        engagement: str = "0",
        qualified_at: datetime | None = None,
        created_at: datetime | None = None,
        **members: str | tuple[str, ...],
    ) -> int:
        """A group; ``stages`` are those it has had and how long ago each began; ``members`` are people by
        role, an underscore for a hyphen."""
        group_id: int = await self.engage.fetchval(
            "insert into buying_groups (account_id, solution_interest, template_id, stage_model_id, stage,"
            " stage_at, status, completeness, engagement, qualified_at, created_at, kept_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning id",
            await self.account(account, name),
            interest,
            self.template,
            self.model,
            stages[-1][0] if stages else None,
            self.at - stages[-1][1] if stages else None,
            status,
            Decimal(completeness),
            Decimal(engagement),
            qualified_at,
            created_at or self.at - timedelta(days=365),
            self.at,
        )
        old: str | None = None
        for stage, ago in stages:
            await self.engage.execute(
                "insert into buying_group_history (group_id, what, old, new, at, source)"
                " values ($1, 'stage', $2, $3, $4, 'journey')",
                group_id,
                old,
                stage,
                self.at - ago,
            )
            old = stage
        for role, people in members.items():
            for person in (people,) if isinstance(people, str) else people:
                await self.member(group_id, person, role.replace("_", "-"))
        return group_id

    async def member(
        self, group_id: int, person: str, role: str, source: str = "job", removed: bool = False
    ) -> None:
        await self.engage.execute(
            "insert into buying_group_members values ($1, $2, $3, $4, $5, $6)",
            group_id,
            await self.person(person),
            role,
            source,
            self.at,
            self.at if removed else None,
        )
