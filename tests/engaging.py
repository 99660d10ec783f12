"""Groups and what engages their people, written straight into the store: for tests of engagement alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from caravan.campaigns import engagement_upkeep, recording
from caravan.engage import sql
from caravan.engage.happening import Happening
from caravan.journeys import engagement
from caravan.journeys.documents.score_model import ScoreModelDocument
from tests.world import World

#: the roles of the template that `Engaging` makes, and their weights
ROLES = {"decision-maker": 100, "practitioner": 60, "influencer": 40}


async def keep_engagement(world: World) -> None:
    """Keep on until there is nothing to do."""
    while await engagement_upkeep.keep_page(world.engage, world.plans, world.now):
        pass


class Engaging:
    """A store with one solution interest, ``grid``, and a score model."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.pool = world.engage
        self.versions = 0

    async def begin(self, qualified: dict[str, Any] | None = None) -> None:
        template = await self.pool.fetchval(
            "insert into roles_templates (slug, version, body, denominator, stored_at)"
            " values ('team', 1, '{}', 1, $1) returning id",
            self.world.now,
        )
        for priority, (role, weight) in enumerate(ROLES.items()):
            await self.pool.execute(
                "insert into template_roles values ($1, $2, $3, $4, true, 1, 0)",
                template,
                role,
                priority,
                weight,
            )
        await self.pool.execute(
            "insert into solution_interests (slug, roles_template, qualified) values ('grid', 'team', $1)",
            qualified,
        )

    async def model(self, weights: Mapping[str, int], **said: Any) -> None:
        """Store a version of the score model and make it the active one."""
        self.versions += 1
        document = ScoreModelDocument(score_model="own", weights=dict(weights), **said)
        async with self.pool.acquire() as conn, conn.transaction():
            await conn.execute("update score_models set active = false")
            await conn.execute(
                "insert into score_models (slug, version, body, active, stored_at)"
                " values ('own', $1, $2, true, $3)",
                self.versions,
                document.model_dump(mode="json"),
                self.world.now,
            )

    async def account(self, number: int, people: Mapping[int, str]) -> int:
        """An account with its group and members by role; returns the group. Ids say all."""
        await self.pool.execute(
            "insert into accounts (id, external_id) values ($1, $2) on conflict do nothing",
            number,
            f"a{number}",
        )
        for person in people:
            await self.person(person, number)
        group = await self.pool.fetchval(
            "insert into buying_groups (account_id, solution_interest, template_id, created_at)"
            " values ($1, 'grid', (select id from roles_templates), $2) returning id",
            number,
            self.world.now,
        )
        for person, role in people.items():
            await self.join(group, person, role)
        return int(group)

    async def person(self, number: int, account: int | None = None) -> None:
        await self.pool.execute(
            "insert into people (id, external_id) values ($1, $2) on conflict do nothing",
            number,
            f"p{number}",
        )
        if account is not None:
            await self.pool.execute(
                "insert into relations (id, account_id, person_id) values ($1, $2, $3)"
                " on conflict do nothing",
                account * 100_000 + number,
                account,
                number,
            )

    async def join(self, group: int, person: int, role: str) -> None:
        await self.pool.execute(
            "insert into buying_group_members (group_id, person_id, role, source, added_at)"
            " values ($1, $2, $3, 'job', $4)"
            " on conflict (group_id, person_id) do update set removed_at = null, role = excluded.role",
            group,
            person,
            role,
            self.world.now,
        )

    async def does(
        self, person: int, kind: str, at: datetime | None = None, times: int = 1, key: str = ""
    ) -> None:
        """Somebody does something, so often; a ``key`` makes doing it again nothing new."""
        happened = [
            Happening(
                kind,
                at or self.world.now,
                person_id=person,
                external_id=f"{key}:{n}" if key else None,
            )
            for n in range(times)
        ]
        async with self.pool.acquire() as conn, conn.transaction():
            await recording.record(conn, self.world.plans, happened, self.world.now)

    async def keep(self) -> None:
        await keep_engagement(self.world)

    async def scores(self) -> dict[int, Any]:
        rows = await self.pool.fetch("select person_id, score from engagement_people")
        return {row["person_id"]: row["score"] for row in rows}

    async def group(self, group: int) -> Any:
        return await self.pool.fetchrow("select * from buying_groups where id = $1", group)

    async def told(self, kind: str) -> list[Any]:
        rows = await self.pool.fetch(
            "select account_id, person_id, fields, at from activities where type = $1 order by id",
            kind,
        )
        return [dict(row) for row in rows]

    async def scale(self) -> Any:
        return await sql.fetchrow(self.pool, "scale_in_force")

    async def leave(self, group: int, person: int) -> None:
        await self.pool.execute(
            "update buying_group_members set removed_at = $3 where group_id = $1 and person_id = $2",
            group,
            person,
            self.world.now,
        )

    async def agrees(
        self, done: Sequence[tuple[int, str, datetime]], *, all_followed: bool = True
    ) -> None:
        """Every stored number is what the formula makes of everything that was done, from scratch.

        While a new scale is being followed, those who say they stand under it do.
        """
        scale = await self.scale()
        zone = ZoneInfo(scale["zone"])
        days: dict[int, Counter[tuple[str, Any]]] = {}
        for person, kind, at in done:
            days.setdefault(person, Counter())[kind, at.astimezone(zone).date()] += 1
        last = scale["day"] + timedelta(days=1)
        expected = {}
        for person, counts in days.items():
            within = [
                (kind, count)
                for (kind, day), count in counts.items()
                if scale["from_day"] <= day <= last
            ]
            points = engagement.points(within, scale["weights"], scale["daily_cap"])
            raw = engagement.raw_of_person(points, scale["heaviest"])
            expected[person] = points, engagement.score(raw, scale["person_p99"])
        rows = await self.pool.fetch("select * from engagement_people")
        assert all(row["scale_id"] == scale["id"] for row in rows) or not all_followed
        stored = {
            row["person_id"]: (row["points"], row["score"])
            for row in rows
            if row["scale_id"] == scale["id"]
        }
        nothing = (0, Decimal(0))
        for person in expected.keys() | stored.keys() if all_followed else stored.keys():
            assert stored.get(person, nothing) == expected.get(person, nothing), person
        for group in await self.pool.fetch("select * from buying_groups"):
            assert group["scale_id"] == scale["id"] or not all_followed
            if group["scale_id"] != scale["id"]:
                continue
            members = [
                (row["role"], expected.get(row["person_id"], nothing)[1])
                for row in await self.pool.fetch(
                    "select person_id, role from buying_group_members"
                    " where group_id = $1 and removed_at is null",
                    group["id"],
                )
            ]
            shares = engagement.role_shares({role: ROLES[role] for role, _ in members})
            raw = engagement.raw_of_group(members, shares)
            assert group["engagement"] == engagement.score(raw, scale["group_p99"]), dict(group)
