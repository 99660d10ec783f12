"""Whatever happens to a group, in whatever order: who is in it and how complete it is follow the rules."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caravan.buying_groups.completeness import shown
from caravan.buying_groups.precedence import RANK, Source
from caravan.journeys.documents.roles_template import RolesTemplateDocument, TemplateRole
from tests.grouping import Documents, Grouping, titled
from tests.world import World

TITLES = ("Chief", "Eng", "Clerk", "Head")
SOURCES: tuple[Source, ...] = ("manual", "journey", "job")


@st.composite
def templates(draw: st.DrawFn) -> RolesTemplateDocument:
    """Up to five roles that need up to a hundred people."""
    return RolesTemplateDocument(
        roles_template="team",
        roles=tuple(
            TemplateRole(
                role=f"role-{number}",
                required=draw(st.booleans()),
                members_required=draw(st.integers(1, 100)),
                when=draw(st.sampled_from([None, *map(titled, TITLES)])),
            )
            for number in range(draw(st.integers(1, 5)))
        ),
    )


def formula(template: RolesTemplateDocument, roles: list[str]) -> Fraction:
    """product.md §3.7, as it is written."""
    required = [role for role in template.roles if role.required]
    if not required:
        return Fraction(0)
    parts = (
        Fraction(min(roles.count(role.role), role.members_required), role.members_required)
        for role in required
    )
    return Fraction(sum(parts), len(required)) * 100


@given(template=templates(), places=st.lists(st.integers(0, 4), max_size=30))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_completeness_is_the_formula(
    world: World, template: RolesTemplateDocument, places: list[int]
) -> None:
    grouping = await _anew(world, ["Eng"] * 30)
    roles = [template.roles[place % len(template.roles)].role for place in places]
    await grouping.store(Documents(roles_templates={"team": template}, buying_group_jobs={}))
    group = await grouping.group("a")
    for role in sorted(set(roles)):
        people = [f"a{number}" for number, one in enumerate(roles, 1) if one == role]
        await grouping.assign(group, role, "manual", *people)
    stored = (await grouping.row(group))["completeness"]
    exact = formula(template, roles)
    # all that a decimal can hold of it, and the only fraction of such a size that is so near
    assert Fraction(stored).limit_denominator(template.denominator) == exact
    assert shown(stored) == floor(exact + Fraction(1, 2))


@dataclass
class Model:
    """Who is in a group by the rules of precedence alone."""

    template: RolesTemplateDocument
    titles: dict[str, str]
    of_account: dict[str, bool]
    places: dict[str, tuple[str, Source, bool]] = field(default_factory=dict)

    def assign(self, person: str, role: str, actor: Source) -> None:
        if not self.of_account[person]:
            return
        _, source, _ = self.places.get(person, ("", "job", True))
        if RANK[actor] >= RANK[source]:
            self.places[person] = (role, actor, False)

    def remove(self, person: str, actor: Source) -> None:
        if person in self.places:
            role, source, _ = self.places[person]
            if RANK[actor] >= RANK[source]:
                self.places[person] = (role, actor, True)

    def keep(self) -> None:
        for person, title in self.titles.items():
            fitting = next((role.role for role in self.template.roles if _fits(role, title)), None)
            role, source, removed = self.places.get(person, ("", "job", True))
            if not self.of_account[person]:
                if not removed:
                    self.places[person] = (role, "job", True)
            elif source == "job" and fitting is not None:
                self.places[person] = (fitting, "job", False)
            elif source == "job" and not removed:
                self.places[person] = (role, "job", True)


def _fits(role: TemplateRole, title: str) -> bool:
    return role.when is not None and role.when.tests["job_title"].checks[0].operands == (title,)


PEOPLE = ("a1", "a2", "a3")
steps = st.one_of(
    st.tuples(
        st.just("assign"), st.sampled_from(PEOPLE), st.integers(0, 4), st.sampled_from(SOURCES)
    ),
    st.tuples(st.just("remove"), st.sampled_from(PEOPLE), st.sampled_from(SOURCES)),
    st.tuples(st.just("retitle"), st.sampled_from(PEOPLE), st.sampled_from(TITLES)),
    st.tuples(st.just("relate"), st.sampled_from(PEOPLE), st.booleans()),
    st.tuples(st.just("template"), templates()),
    st.tuples(st.just("keep")),
)


@given(template=templates(), done=st.lists(steps, max_size=12))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_membership_follows_the_rules_after_any_sequence(
    world: World, template: RolesTemplateDocument, done: list[Any]
) -> None:
    grouping = await _anew(world, TITLES[: len(PEOPLE)])
    model = Model(template, dict(zip(PEOPLE, TITLES, strict=False)), dict.fromkeys(PEOPLE, True))
    for person, title in model.titles.items():
        await _retitle(world, person, title)
    await grouping.store(Documents(roles_templates={"team": template}))
    await world.engage.execute("update buying_group_jobs set flow_at = now()")
    group = await grouping.group("a")
    for step in [*done, ("keep",)]:
        match step:
            case ("assign", person, place, actor):
                role = model.template.roles[place % len(model.template.roles)].role
                await grouping.assign(group, role, actor, person)
                model.assign(person, role, actor)
            case ("remove", person, actor):
                await grouping.remove(group, actor, person)
                model.remove(person, actor)
            case ("retitle", person, title):
                await _retitle(world, person, title)
                model.titles[person] = title
            case ("relate", person, related):
                await world.engage.execute(
                    "update relations set deleted_at = case when $2 then null else now() end"
                    " where person_id = (select id from people where external_id = $1)",
                    person,
                    related,
                )
                model.of_account[person] = related
            case ("template", changed):
                await grouping.store(Documents(roles_templates={"team": changed}))
                model.template = changed
            case _:
                await grouping.upkeep()
                model.keep()
    assert await grouping.members(group) == model.places
    inside = [role for role, _, removed in model.places.values() if not removed]
    stored = (await grouping.row(group))["completeness"]
    exact = formula(model.template, inside)
    assert Fraction(stored).limit_denominator(model.template.denominator) == exact


async def _retitle(world: World, person: str, title: str) -> None:
    await world.engage.execute(
        "update people set attributes = attributes || jsonb_build_object('job_title', $2::text)"
        " where external_id = $1",
        person,
        title,
    )


async def _anew(world: World, titles: Sequence[str]) -> Grouping:
    """An account of the job's audience with its people, and no group."""
    grouping = Grouping(world)
    if not await world.engage.fetchval("select exists (select from accounts)"):
        await world.store(world.workspace("", ()))
        await grouping.people(a=",".join(titles))
        await world.engage.execute("insert into audience_copies values ('everyone', 'accounts')")
        await world.engage.execute(
            "insert into audience_members select 'everyone', id from accounts"
        )
    await world.engage.execute(
        "truncate buying_groups, buying_group_members, buying_group_history, buying_group_questions"
    )
    await world.engage.execute("update relations set deleted_at = null")
    return grouping
