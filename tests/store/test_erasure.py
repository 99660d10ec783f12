"""A person exported and erased: from both stores, for good, while journeys go on without them."""

import asyncio
import contextlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from caravan.buying_groups import membership
from caravan.campaigns import (
    bounces,
    delivery_queue,
    intake,
    mail_claims,
    mail_hand_over,
    permission,
    person_erasure,
    personal_data,
    sending,
    sms_consent,
    stretch,
    traces,
)
from caravan.campaigns.candidates import Candidate
from caravan.campaigns.mail_settling import settle
from caravan.campaigns.personal_data import ENGAGE, PLATFORM
from caravan.campaigns.proving import against_log
from caravan.database.erasures import ErasureKey, ErasureKeyMissing
from caravan.database.outbox import read_page
from caravan.delivery.bounce_reports import read_report
from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.transport import Accepted
from caravan.engage import sql
from caravan.platform import down_flow, sync
from caravan.platform.imports import Importer
from caravan.platform.merge import apply_page
from caravan.stack.forgotten_mail import forget
from caravan.stack.mail_server import INDEX, Keep, captured
from tests.commands import Cli
from tests.relay import Relay
from tests.reports import dsn
from tests.store.test_sales_alert import begin as begin_alert
from tests.world import World

JOURNEY = """
people_list: guests
type: static
members: [ada@acme.example]
---
people_list: engineers
type: dynamic
when: {person: {job_title: {contains: Engineer}}}
---
roles_template: team
roles:
  - {role: practitioner, required: true, members_required: 2, when: {person: {job_title: {contains: Engineer}}}}
---
stage_model: stages
stages: [{stage: open, entry: true, to: [won]}, {stage: won, success: true}]
---
solution_interest: grid
roles_template: team
stage_model: stages
---
buying_groups: teams
solution_interest: grid
audience: everyone
---
audience: engineers
of: people
when: {person: {job_title: {contains: Engineer}}}
---
journey: post
audience: everyone
schedule: {end: 30 days}
deduplicate_email: true
start: fork
nodes:
  fork:
    split: people
    paths:
      - {label: Engineers, when: {person: {email: {contains: ada}}}, do: [{update_person: {field: city, value: "{{ person.email }}"}}]}
    otherwise: {do: []}
    next: asked
  asked:
    split: accounts
    paths:
      - {label: Reachable, when: {person: {email: {is: ada@acme.example}}}, next: mail}
    otherwise: mail
  mail:
    do:
      - change_score: {score: lead, by: 5}
      - update_account: {field: source_type, value: "asked by ada@acme.example, 0046 70-123 45 67"}
      - send_email: {template: hi}
    next: hear
  hear:
    listen: [{form_filled: {form: meeting}}]
    timeout: {after: 3 days, next: again}
    next: again
  again: {do: [{send_email: {template: hi}}], end: over}
"""
ADA, EMAIL = "ada@acme.example", "Ada@acme.example"
FILES = {
    "accounts": "account_id,name\na,Acme\nb,Bolt\n",
    "people": "person_id,email,first_name,job_title,unsubscribed,mobile_phone,account_id\n"
    f"{ADA},{EMAIL},Ada,Engineer,no,+46701234567,a\nbo,bo@acme.example,Bo,Engineer,,,a\ncy,cy@bolt.example,Cy,,,,b\n",
    "relations": f"account_id,person_id,roles\na,{ADA},buyer;user\n",
    "events": json.dumps(
        {"id": f"visit by {ADA}", "type": "form_filled", "at": "2026-01-01T00:00:00Z", "person_id": ADA,
         "form": "demo", "email": EMAIL}
    ),
}  # fmt: skip
KEY = ErasureKey("e" * 40)


@pytest.fixture
async def traversals(world: World) -> list[int]:
    """Two accounts that have been mailed; all kinds of things are held of Ada."""
    world.scores = "{lead: {start: 0}}"
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(workspace, **FILES)
    await world.store(workspace)
    traversals = await world.enter(await world.publish(workspace, "post"))
    await world.follow()
    for traversal in traversals:
        await world.walk(traversal)
    [message] = [one for one in world.transport.messages if one.recipient == EMAIL]
    report = dsn(message_id=message.message_id, recipient=EMAIL, status="4.2.2",
                 diagnostic=f"smtp; 452 4.2.2 {EMAIL} is full")  # fmt: skip
    for one in read_report(report):
        await bounces.take(world.engage, world.plans, one, world.now, munchkin=world.munchkin)
    await world.engage.execute(
        "insert into suppressions values ('ada@acme.example', 'opt_out', 'said so', 'x', now())"
    )
    await world.engage.execute(
        """update ledger set reply = '250 <Ada@acme.example> queued' where state = 'accepted'"""
    )
    return traversals


def cli(world: World, **environment: str) -> Cli:
    return Cli(world, ERASURE_KEY="e" * 40, CARAVAN_HOME=str(world.folder / "home"), **environment)


async def find(world: World, key: str = ADA) -> personal_data.Person:
    person = await personal_data.find(world.engage, world.platform, key)
    assert person is not None
    return person


async def erase_both(world: World, person: personal_data.Person) -> None:
    await person_erasure.erase_here(world.engage, world.plans, person, KEY, world.now)
    await person_erasure.erase_in_platform(world.platform, person, KEY, world.now)


async def grep(pool: Any, *needles: str) -> dict[str, int]:
    """Every column of every table as text, the plainest way there is."""
    found = {}
    columns = await pool.fetch(
        "select table_name as t, column_name as c from information_schema.columns"
        " join information_schema.tables using (table_schema, table_name)"
        " where table_schema = current_schema() and table_type = 'BASE TABLE'"
    )
    assert len(columns) > 50
    for row in columns:
        for needle in needles:
            count = await pool.fetchval(
                f'select count(*) from "{row["t"]}" where position(lower($1) in lower("{row["c"]}"::text)) > 0',
                needle,
            )
            if count:
                found[f"{row['t']}.{row['c']}"] = count
    return found


async def test_nothing_is_left_in_any_column_of_any_table(
    world: World, traversals: list[int]
) -> None:
    before = await grep(world.engage, ADA, "46701234567")
    assert {"people.attributes", "people.external_id", "ledger.reply", "steps.because", "participants.because", "activities.fields", "list_named.external_id",
            "suppressions.subject", "mailed_addresses.address", "accounts.attributes"} <= {*before}  # fmt: skip
    told = await cli(world).json("person", "erase", ADA, "--yes")
    # the workspace's own documents name her: they are told of, and are the workspace's to change
    documents = {"plans.body", "lists.condition", "journeys.name", "plans.asks_engagement"}
    assert {*(await grep(world.engage, ADA, "46701234567", "45 67"))} <= documents
    assert await grep(world.platform, ADA, "46701234567") == {}
    assert {f"{one['table']}.{one['column']}" for one in told["left"]} <= documents
    counts = {(row["store"], row["table"]): (row["before"], row["after"]) for row in told["rows"]}
    assert counts["engage", "people"] == (1, 0)
    assert counts["engage", "scores"] == (1, 0)
    assert counts["engage", "ledger"][0] == counts["engage", "ledger"][1] > 0
    # the word of each file about the relation, and the person
    assert counts["platform", "source_rows"] == (3, 0)


async def test_answers_of_models_go_whomever_they_speak_of(
    world: World, traversals: list[int]
) -> None:
    await world.engage.execute(
        "insert into ai_answers (digest, feature, answer, call_id, kept_at) values ('d', 'summary', $1, 1, $2)",
        f'{{"text": "Ada ({ADA}) opened twice"}}',
        world.now,
    )
    await cli(world).json("person", "erase", ADA, "--yes")
    assert await world.engage.fetchval("select count(*) from ai_answers") == 0


async def test_every_table_with_people_in_it_is_on_the_list(world: World) -> None:
    """A table that comes later must say what becomes of its people."""
    for pool, tables in ((world.engage, ENGAGE), (world.platform, PLATFORM)):
        rows = await pool.fetch(
            "select distinct table_name from information_schema.columns"
            " join information_schema.tables using (table_schema, table_name)"
            " where table_schema = current_schema() and table_type = 'BASE TABLE'"
            " and column_name in ('person_id', 'subject_id') and table_name <> 'erasures'"
        )
        assert {row["table_name"] for row in rows} <= {*tables}


async def test_accounts_journeys_go_on_without_them(world: World, traversals: list[int]) -> None:
    await erase_both(world, await find(world))
    world.transport.messages.clear()
    world.pass_time(days=3)
    for traversal in traversals:
        state = await world.walk(traversal)
        assert state.ended is not None
        assert state.ended.label == "over"
    assert sorted(recipient for _, recipient in world.mailed()) == [
        "bo@acme.example",
        "cy@bolt.example",
    ]
    # they are of no account any more, so the next node's people are without them
    assert (
        await world.engage.fetchval(
            "select count(*) from ledger l join people p on p.id = l.person_id"
            " where p.erased_at is not null and l.node = 'again'"
        )
        == 0
    )


async def test_whoever_was_read_before_is_not_written_to_after(
    world: World, traversals: list[int]
) -> None:
    person = await find(world)
    read = Candidate(
        person.id, {"email": EMAIL, "mobile_phone": "+46701234567", "sms_consent": True}
    )
    assert await permission.may_mail(world.engage, [read], True) == {person.id: None}
    await erase_both(world, person)
    assert await permission.may_mail(world.engage, [read], True) == {person.id: "no-address"}
    assert await permission.may_text(world.engage, [read], True) == {person.id: "no-address"}


async def test_mail_that_has_not_left_is_withdrawn(world: World, traversals: list[int]) -> None:
    person = await find(world)
    await world.engage.execute(
        "update ledger set state = 'held', until = now() where person_id = $1 and action = 'send_email'",
        person.id,
    )
    erased = await person_erasure.erase_here(world.engage, world.plans, person, KEY, world.now)
    assert erased.withdrawn == 1
    [state] = await world.engage.fetch(
        "select state, reason from ledger where person_id = $1 and action = 'send_email'", person.id
    )
    assert tuple(state) == ("skipped", "no-address")


async def test_forgotten_mail_is_no_difference_between_ledger_and_log(
    world: World, traversals: list[int]
) -> None:
    taken = Counter(m.message_id for m in world.transport.messages if m.recipient != EMAIL)
    await erase_both(world, await find(world))
    found = against_log(await sql.fetch(world.engage, "messages_to_prove", slug=None), taken)
    assert found.differences == []
    assert found.counts["accepted and erased since"] == 1


async def test_nobody_erased_comes_back_by_an_import(world: World, traversals: list[int]) -> None:
    await erase_both(world, await find(world))
    workspace = world.workspace(JOURNEY, ("hi",))

    async def load(key: ErasureKey | None, name: str, text: str) -> list[tuple[int, str]]:
        importer = Importer(world.platform, workspace.catalog, world.now, lambda *_: None, key)
        report = await importer.file(world.write(f"data/{name}", text))
        return [(bad.line, bad.reason) for bad in report.bad]

    assert await load(KEY, "people.csv", FILES["people"]) == [(2, "erased")]
    under_another = f"person_id,email\nnew,{EMAIL.upper()}\nfine,fine@acme.example\n"
    assert await load(KEY, "people.csv", under_another) == [(2, "erased")]
    assert await load(KEY, "relations.csv", FILES["relations"]) == [(2, "erased")]
    event = FILES["events"] + '\n{"type": "x", "at": "2026-01-01T00:00:00Z", "person_id": "nobody"}'
    assert await load(KEY, "events.jsonl", event) == [(1, "erased"), (2, "no person nobody")]
    assert await grep(world.platform, ADA) == {}
    for wrong in (None, ErasureKey("f" * 40)):
        with pytest.raises(ErasureKeyMissing, match="ERASURE_KEY"):
            await load(wrong, "people.csv", FILES["people"])
    told = await Cli(world).refuse(1, "import", str(world.folder / "data/people.csv"))
    assert "ERASURE_KEY" in told


async def test_what_is_on_its_way_between_the_stores_writes_nothing(
    world: World, traversals: list[int]
) -> None:
    """Pages read before the erasure and applied after it, in both directions."""
    person = await find(world)
    accounts = [row["id"] for row in await world.engage.fetch("select id from accounts")]
    bundle = await down_flow.export(world.platform, accounts)
    await world.engage.execute(
        "insert into changes (entity, id, fields, as_of, origin) values ('person', $1, $2, $3, 'journey')",
        person.id,
        {"email": EMAIL, "first_name": "Ada"},
        world.now,
    )
    cursor = await sync.cursor_of(world.platform, world.munchkin)
    async with world.engage.acquire() as conn:
        page = await read_page(conn, cursor, 1000)
    assert any(change.id == person.id and EMAIL in change.fields for change in page)
    await erase_both(world, person)
    async with world.engage.acquire() as conn, conn.transaction():
        await intake.take_in(conn, world.plans, bundle, world.now)
    await apply_page(world.platform, world.munchkin, page, cursor, world.now)
    for pool in (world.engage, world.platform):
        row = await pool.fetchrow("select * from people where id = $1", person.id)
        assert (row["external_id"], row["attributes"]) == (f"erased-{person.id}", {})
    await world.follow()
    assert "Ada" not in json.dumps(
        [
            dict(row)["attributes"]
            for row in await world.engage.fetch("select attributes from people")
        ]
    )


async def test_erasing_is_taken_up_where_it_broke_off(
    world: World, traversals: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("starter.person_data.erase_in_platform", die)
        ran = await cli(world).run("person", "erase", ADA, "--yes")
        assert ran.returncode != 0
    assert (await grep(world.platform, ADA)) != {}
    assert "people.attributes" not in await grep(world.engage, ADA)
    told = await cli(world).json("person", "erase", ADA, "--yes")
    assert await grep(world.platform, ADA) == {}
    assert {row["before"] for row in told["rows"] if row["table"] == "people"} == {1}
    # and once more: nothing is there, and it says so
    again = await cli(world).json("person", "erase", ADA, "--yes")
    assert again["person"] == told["person"]
    await cli(world).refuse(2, "person", "erase", "nobody", "--yes")
    await Cli(world).refuse(1, "person", "erase", "bo", "--yes")  # without a key


async def test_buying_group_is_complete_without_them_no_more(
    world: World, traversals: list[int]
) -> None:
    person = await find(world)
    group = await world.engage.fetchval(
        "insert into buying_groups (account_id, solution_interest, template_id, created_at)"
        " select a.id, 'grid', t.id, now() from accounts a, roles_templates t"
        " where a.external_id = 'a' returning id"
    )

    async def completeness() -> int:
        return await world.engage.fetchval(
            "select completeness from buying_groups where id = $1", group
        )

    async with world.engage.acquire() as conn, conn.transaction():
        await membership.assign(conn, group, [person.id], "practitioner", "manual", world.now)
    assert await completeness() == 50
    await erase_both(world, person)
    assert await completeness() == 0
    assert await world.engage.fetchval("select count(*) from buying_group_members") == 0


async def test_address_of_two_people_stays_the_others(world: World, traversals: list[int]) -> None:
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(workspace, people=f"person_id,email,account_id\ntwin,{EMAIL},b\n")
    await world.follow()
    ran = await cli(world).run("person", "erase", ADA, "--yes", "--format", "json")
    assert json.loads(ran.stdout)["shared_with"] == ["twin"]
    twin = await find(world, "twin")
    assert twin.addresses == (EMAIL,)
    importer = Importer(world.platform, workspace.catalog, world.now, lambda *_: None, KEY)
    report = await importer.file(
        world.write("data/people.csv", f"person_id,email,city\ntwin,{EMAIL},Umeå\n")
    )
    assert (report.bad, report.changed) == ([], 1)


async def test_stop_of_a_number_of_two_people_stays_the_others(
    world: World, traversals: list[int]
) -> None:
    """Whoever bears the number on, however it is written, has answered STOP too."""
    await sms_consent.hear(
        world.engage, world.plans, phone="+46701234567", sid="SM1", word="stop", at=world.now
    )
    people = "person_id,email,mobile_phone,account_id\ntwin,twin@bolt.example,0046 70-123 45 67,b\n"
    await world.load(world.workspace(JOURNEY, ("hi",)), people=people)
    await world.follow()
    await cli(world).run("person", "erase", ADA, "--yes")
    left = await world.engage.fetch("select subject, reason from suppressions")
    assert [tuple(row) for row in left] == [("+46701234567", "opt_out")]
    await cli(world).run("person", "erase", "twin", "--yes")
    assert await world.engage.fetchval("select count(*) from suppressions") == 0


async def test_export_has_all_that_is_held(world: World, traversals: list[int]) -> None:
    told = json.loads(await cli(world).say("person", "export", EMAIL))
    assert told["person"] == ADA
    assert {*told["engage"]} == {*ENGAGE}
    assert {*told["platform"]} == {*PLATFORM}
    for table in ("people", "relations", "activities", "ledger", "scores", "mail_reports", "consents",
                  "suppressions", "list_named", "participants", "changes", "mailed_addresses"):  # fmt: skip
        assert told["engage"][table], table
    for table in ("people", "relations", "activities", "source_rows", "segment_members", "changes"):
        assert told["platform"][table], table
    out = world.folder / "ada.json"
    await cli(world).say("person", "export", ADA, "--out", str(out))
    assert json.loads(out.read_text())["engage"] == told["engage"]
    assert "bo@acme.example" not in out.read_text()
    await cli(world).refuse(2, "person", "export", "nobody")


async def test_captured_mail_is_forgotten_and_the_rest_kept(tmp_path: Path) -> None:
    keep = Keep(tmp_path)

    class Envelope:
        mail_from = "us@us.example"

        def __init__(self, to: str, number: int) -> None:
            self.rcpt_tos = [to]
            self.original_content = f"Message-ID: <{number}@x>\r\n\r\nhello {to}".encode()

    for number, to in enumerate(("Ada@acme.example", "bo@acme.example", "old@acme.example")):
        await keep.handle_DATA(None, None, Envelope(to, number))  # type: ignore[arg-type]
    assert forget(tmp_path, ["ada@acme.example"], ["<2@x>"]) == 2
    assert [line["to"] for line in captured(tmp_path)] == [["bo@acme.example"]]
    assert len(list(tmp_path.glob("*.eml"))) == 1
    assert forget(tmp_path, ["ada@acme.example"], ["<2@x>"]) == 0
    assert forget(tmp_path / "none", ["ada@acme.example"], []) == 0
    assert (tmp_path / INDEX).exists()


async def test_captured_alert_that_names_them_is_forgotten(world: World) -> None:
    await world.walk(await begin_alert(world))
    box = world.folder / "mail"
    box.mkdir()
    with (box / INDEX).open("w") as index:
        for number, message in enumerate(world.transport.messages):
            (box / f"{number}.eml").write_bytes(message.content)
            line = {"file": f"{number}.eml", "to": [message.recipient], "message_id": message.message_id}  # fmt: skip
            index.write(json.dumps(line) + "\n")
    assert forget(box, ["x@a.example"], [], traces.Needles(("x@a.example",), ()).pattern) == 0
    by_number = traces.Needles((), (), ("0046 70-123 45 67",)).pattern
    assert forget(box, [], [], by_number) == 2
    assert list(box.glob("*.eml")) == []
    # that they are missing then is no difference, and before that it is one
    rows = await sql.fetch(world.engage, "messages_to_prove", slug=None)
    assert [one.what for one in against_log(rows, Counter()).differences] == [
        "accepted, not taken"
    ] * 2
    await erase_both(world, await find(world, "p"))
    found = against_log(await sql.fetch(world.engage, "messages_to_prove", slug=None), Counter())
    assert (found.differences, found.counts["accepted and erased since"]) == ([], 2)


async def test_alert_in_hand_is_written_anew_without_them(world: World) -> None:
    traversal = await begin_alert(world)
    person = await find(world, "p")
    hand_over = mail_hand_over.hand_over

    async def slowly(*arguments: Any) -> None:
        if not await world.engage.fetchval("select exists (select from erasures)"):
            await person_erasure.erase_here(world.engage, world.plans, person, KEY, world.now)
        await hand_over(*arguments)

    relay = Relay()
    await relay.start()
    try:
        world.transport = relay.transport()  # type: ignore[assignment]
        with pytest.MonkeyPatch.context() as slow:
            slow.setattr(sending, "hand_over", slowly)
            await world.walk(traversal)
        assert relay.mails == []
        sent = await delivery_queue.send_some(
            world.engage, world.plans, world.mailing, "queue", lambda: world.now
        )
        assert (sent, len(relay.mails)) == (2, 2)
        assert not any("p@a.example" in str(mail) for mail in relay.mails)
    finally:
        await relay.stop()


def test_a_number_is_found_however_it_is_written() -> None:
    needles = traces.Needles((), (), ("+46701234567", "08-12 34", "08-123 456"))
    for text in ("call 0046 70-123 45 67.", "+46701234567", "46701234567", "08123456"):
        assert traces.GONE in needles.in_text(text), text
    for text in ("146701234567", "467012345670", "08 12 34", "108123456", "0.46701234567"):
        assert needles.in_text(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("write to Ada@Acme.example.", "write to (erased)."),
        ("xada@acme.example", "xada@acme.example"),
        ("ada@acme.example.org", "ada@acme.example.org"),
        ("<ada@acme.example>", "<(erased)>"),
        ("p1", "(erased)"),
        ("p10", "p10"),
    ],
)
def test_only_what_is_theirs_is_put_out(text: str, left: str) -> None:
    needles = traces.Needles(("ada@acme.example",), ("p1",))
    assert needles.in_text(text) == left
    assert needles.in_json({"a": [text, 1, None, True]}) == {"a": [left, 1, None, True]}
    assert re.compile(needles.pattern)


async def test_a_claim_under_way_is_waited_for_and_withdrawn(
    world: World, traversals: list[int]
) -> None:
    """Whoever has looked and not yet claimed when the erasure begins claims nothing that stays."""
    person = await find(world)
    await world.engage.execute("delete from suppressions")
    world.pass_time(days=3)
    await stretch.run(
        world.engage,
        world.plans,
        traversals[0],
        (await world.state(traversals[0])).step_no,
        world.now,
    )
    looked, erasing = asyncio.Event(), asyncio.Event()
    seen = permission.may_mail

    async def slowly(*arguments: Any) -> dict[int, str | None]:
        reasons = await seen(*arguments)
        looked.set()
        await erasing.wait()
        await asyncio.sleep(0.3)
        return reasons

    async def claim() -> None:
        state = await world.state(traversals[0])
        with pytest.MonkeyPatch.context() as slow:
            slow.setattr(permission, "may_mail", slowly)
            await mail_claims.claim(
                world.engage,
                world.plans,
                world.mailing,
                traversals[0],
                state.step_no,
                "one",
                world.now,
            )

    claiming = asyncio.create_task(claim())
    await looked.wait()
    erasing.set()
    erased = await person_erasure.erase_here(world.engage, world.plans, person, KEY, world.now)
    await claiming
    assert erased.withdrawn == 1
    assert (
        await world.engage.fetchval(
            "select count(*) from ledger where person_id = $1 and state = 'claimed'", person.id
        )
        == 0
    )


async def test_alert_that_has_its_last_word_and_not_left_is_written_anew_without_them(
    world: World,
) -> None:
    """The process was held up between the word and the first octet, and asks again: they are gone by then."""
    traversal = await begin_alert(world)
    person = await find(world, "p")

    async def held_up(ask: Any) -> Any:
        word = await ask()
        if not await world.engage.fetchval("select exists (select from erasures)"):
            erased = await person_erasure.erase_here(
                world.engage, world.plans, person, KEY, world.now
            )
            assert not erased.left
            word = await ask()
            assert word is None
        return word

    relay = Relay()
    await relay.start()
    try:
        world.transport = relay.transport()  # type: ignore[assignment]
        with pytest.MonkeyPatch.context() as slow:
            slow.setattr(mail_hand_over, "last_word", held_up)
            with contextlib.suppress(RelayUnreachable):
                await world.walk(traversal)
            await world.walk(traversal)
        await delivery_queue.send_some(
            world.engage, world.plans, world.mailing, "queue", lambda: world.now
        )
        assert len(relay.mails) == 2
        assert not any("p@a.example" in content.decode() for content in relay.contents)
    finally:
        await relay.stop()


async def test_erasing_waits_for_what_has_begun_to_leave(world: World) -> None:
    """So that what it captured is there to be looked for."""
    traversal = await begin_alert(world)
    await stretch.run(world.engage, world.plans, traversal, 1, world.now)
    claimed = await mail_claims.claim(
        world.engage, world.plans, world.mailing, traversal,
        (await world.state(traversal)).step_no, "try", world.now,
    )  # fmt: skip
    assert isinstance(claimed, mail_claims.Claimed)
    await world.engage.execute("update ledger set state = 'handed_over' where state = 'claimed'")
    erasing = asyncio.create_task(
        person_erasure.erase_here(world.engage, world.plans, await find(world, "p"), KEY, world.now)
    )
    while not await world.engage.fetchval("select exists (select from erasures)"):
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
    assert not erasing.done()
    for message in claimed.messages:
        await settle(world.engage, message.outgoing.message_id, Accepted("250"), world.now)
    assert (await erasing).left
    rows = [row for row in await world.ledger() if row["recipient"] is not None]
    assert [(row["state"], row["reason"]) for row in rows] == [("accepted", None)] * 2
