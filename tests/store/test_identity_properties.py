"""Whatever the order in which sources come, and however often, the unified records are the same."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.identifying import RULES, bring, records, unmerge, with_rules
from tests.world import World

BOTH = RULES + "---\nidentity: accounts-by-name\nof: accounts\nmatch: [name]\n"
EMAILS = ["ada@a.example", "ADA@A.example", "bo@b.example", ""]
maybe_said = st.sampled_from(["", "yes", "no"])
people = st.lists(
    st.tuples(
        st.sampled_from(EMAILS), st.sampled_from(["", "Ada", "Bo"]), maybe_said, maybe_said,
        st.sampled_from(["", "+46701234567", "+46707654321"]),
    ),
    min_size=1, max_size=3,
)  # fmt: skip
accounts = st.lists(
    st.tuples(
        st.sampled_from(["Acme", "ACME.", "Bolt"]),
        st.sampled_from(["", "acme.example", "www.acme.example", "bolt.example"]),
        st.sampled_from(["", "Oslo", "Lund"]),
    ),
    min_size=1,
    max_size=3,
)
SOURCES = ("crm", "erp", "web")
files = st.fixed_dictionaries({source: st.tuples(people, accounts) for source in SOURCES})
LONG = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def texts(said: tuple[Any, Any]) -> dict[str, str]:
    """A source's files; people belong to its accounts in turn."""
    of_people, of_accounts = said
    return {
        "accounts.csv": "account_id,name,domain,city\n"
        + "".join(f"{n},{','.join(row)}\n" for n, row in enumerate(of_accounts)),
        "people.csv": "person_id,email,first_name,unsubscribed,sms_consent,mobile_phone,account_id,roles\n"
        + "".join(
            f"{n},{','.join(row)},{n % len(of_accounts)},role {n}\n"
            for n, row in enumerate(of_people)
        ),
    }


async def empty(world: World) -> None:
    await world.platform.execute(
        "truncate accounts, people, relations, opportunities, activities, source_rows, united, said_together,"
        " match_keys, merges, kept_apart, changes cascade"
    )


async def everything(world: World) -> tuple[Any, ...]:
    relations = await world.platform.fetch(
        "select (select min(a.external_id) from accounts a where coalesce(a.merged_into, a.id) = r.account_id) as a,"
        " (select min(p.external_id) from people p where coalesce(p.merged_into, p.id) = r.person_id) as p, r.attributes"
        " from relations r where r.deleted_at is null order by 1, 2"
    )
    return (
        await records(world.platform, "accounts"),
        await records(world.platform, "people"),
        [tuple(row) for row in relations],
    )


async def bring_all(world: World, given_files: dict[str, Any], order: list[str]) -> None:
    for source in order:
        for name, text in texts(given_files[source]).items():
            await bring(
                world, source, name, text, at=world.now + timedelta(seconds=SOURCES.index(source))
            )


async def order_does_not_matter(
    world: World, given_files: dict[str, Any], order: list[str], again: list[str]
) -> None:
    await empty(world)
    await bring_all(world, given_files, list(SOURCES))
    usual = await everything(world)
    await empty(world)
    await bring_all(world, given_files, [*order, *again])
    assert await everything(world) == usual


@given(files, st.permutations(SOURCES), st.lists(st.sampled_from(SOURCES), max_size=2))
@settings(LONG, max_examples=8)
async def test_order_and_repetition_do_not_matter(
    world: World, given_files: dict[str, Any], order: list[str], again: list[str]
) -> None:
    await with_rules(world, BOTH)
    await order_does_not_matter(world, given_files, order, again)


@pytest.mark.long
@given(files, st.permutations(SOURCES), st.lists(st.sampled_from(SOURCES), max_size=2))
@settings(LONG)
async def test_order_and_repetition_do_not_matter_often(
    world: World, given_files: dict[str, Any], order: list[str], again: list[str]
) -> None:
    await with_rules(world, BOTH)
    await order_does_not_matter(world, given_files, order, again)


async def parting_restores(world: World, given_files: dict[str, Any]) -> None:
    """All that is taken apart is as it was when nothing was one."""
    await empty(world)
    await with_rules(world, "")
    await bring_all(world, given_files, list(SOURCES))
    before = await everything(world)
    await with_rules(world, BOTH)
    world.pass_time(minutes=1)
    for entity, table in (("person", "people"), ("account", "accounts")):
        for record in list((await records(world.platform, table)).values()):
            for one in sorted(record.of)[1:] if len(record.of) > 1 else []:
                await unmerge(world, entity, one)  # type: ignore[arg-type]
    assert await everything(world) == before


@given(files)
@settings(LONG, max_examples=8)
async def test_parting_restores_every_record(world: World, given_files: dict[str, Any]) -> None:
    await parting_restores(world, given_files)


@pytest.mark.long
@given(files)
@settings(LONG)
async def test_parting_restores_every_record_often(
    world: World, given_files: dict[str, Any]
) -> None:
    await parting_restores(world, given_files)
