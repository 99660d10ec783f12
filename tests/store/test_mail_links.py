"""The links of a mail over real HTTP: followed, forged, followed by bots, and the way out."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from caravan import mail_settings
from caravan.campaigns.mailing import Mailing
from caravan.delivery.capture import CaptureTransport
from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.links import Link, LinkKeys, LinkKind, links_of
from caravan.delivery.transport import BeforeContent, Outgoing, Verdict
from caravan.engage import life_cycle
from caravan.engage.versions import PIN
from caravan.pairing import Databases, unpair
from caravan.pairing import pair as pair_both
from caravan.platform import sync
from caravan.settings import Settings
from tests.mailing_links import BROWSER, OLD_KEY, Letter, LinkedWorld, ask
from tests.pairs import Pair
from tests.relay import Relay

JOURNEY = """
journey: linked
audience: everyone
schedule: {end: 30 days}
start: mail
nodes:
  mail: {do: [{send_email: {template: hi}}], next: hear}
  hear:
    listen: [{email_clicked: {template: hi, next: clicked}}, {email_opened: {template: hi, next: opened}}]
    timeout: {after: 1 day, end: silence}
  clicked: {do: [], end: clicked}
  opened: {do: [], end: opened}
"""

PEOPLE = "person_id,email,first_name,account_id\np,p@a.example,Pia & Co,a\n"


@pytest.fixture
async def world(pair: Pair, tmp_path: Path) -> AsyncIterator[LinkedWorld]:
    new = LinkedWorld(tmp_path, pair)
    await new.open()
    await new.listen()
    yield new
    await new.gateway.stop()
    await new.close()


async def mailed(world: LinkedWorld, front: str = "") -> tuple[int, Letter]:
    """An account that was mailed and listens, and what its person got; a minute passes."""
    world.template("hi", front)
    workspace = world.workspace(JOURNEY)
    await world.load(workspace, accounts="account_id,name\na,Acme\n", people=PEOPLE)
    [traversal] = await world.enter(await world.publish(workspace, "linked"))
    await world.walk(traversal)
    world.pass_time(minutes=1)
    [message] = world.transport.messages
    return traversal, Letter.of(message.content)


async def activities(world: LinkedWorld, kind: str) -> list[dict[str, Any]]:
    rows = await world.engage.fetch(
        "select fields from activities where type = $1 order by id", kind
    )
    # each names its message, which the ledger has
    found = [dict(row["fields"]) for row in rows]
    named = {one.pop("message") for one in found if kind != "person_changed"}
    known = await world.engage.fetch("select message_id from ledger")
    assert named <= {row["message_id"] for row in known}
    return found


async def changed(world: LinkedWorld) -> tuple[int, ...]:
    """What a request might have changed."""
    return tuple(
        [
            await world.engage.fetchval(f"select count(*) from {table}")
            for table in ("activities", "changes", "wakeups")
        ]
    )


async def label(world: LinkedWorld, traversal: int) -> str | None:
    state = await world.walk(traversal)
    return state.ended.label if state.ended else None


async def test_click_leads_to_the_link_of_the_mail_and_wakes_who_listens(
    world: LinkedWorld,
) -> None:
    traversal, letter = await mailed(world)
    answer = await ask(world, letter.link("Offer"))
    assert answer.status_code == 302
    assert answer.headers["location"] == "https://us.example/offer?a=1&b=Acme"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers
    assert await world.engage.fetchval("select count(*) from wakeups") == 1
    assert await activities(world, "email_clicked") == [
        {
            "template": "hi",
            "journey": "linked",
            "node": "mail",
            "link": "https://us.example/offer?a=1&b=Acme",
        }
    ]
    assert await label(world, traversal) == "clicked"


async def test_pixel_says_that_it_was_opened_and_only_that_of_a_mail_that_asks(
    world: LinkedWorld,
) -> None:
    traversal, letter = await mailed(world)
    assert letter.pixel is not None
    answer = await ask(world, letter.pixel)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.content.startswith(b"GIF89a")
    assert await label(world, traversal) == "opened"


async def test_front_matter_leaves_tracking_out(world: LinkedWorld) -> None:
    _, letter = await mailed(world, "track_opens: false\ntrack_clicks: false\n")
    assert letter.pixel is None
    assert letter.link("Other") == "https://us.example/other"
    assert "/c/" not in letter.html
    assert letter.link("Unsubscribe").startswith("https://go.example/u/")


async def test_links_name_nobody(world: LinkedWorld) -> None:
    _, letter = await mailed(world)
    assert letter.link("Plain") == "https://us.example/plain"
    assert letter.headers["List-Unsubscribe"] == f"<{letter.link('Unsubscribe')}>"
    assert letter.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for url in (letter.link("Unsubscribe"), letter.link("View"), letter.pixel or ""):
        link = world.keys.read(url.rpartition("/")[2], LinkKind(url.split("/")[3]))
        number = await world.engage.fetchval("select id from ledger where message_id is not null")
        assert link == Link(LinkKind(url.split("/")[3]), world.munchkin, number)


async def test_same_within_a_minute_counts_once_and_later_anew(world: LinkedWorld) -> None:
    _, letter = await mailed(world)
    world.now = world.now.replace(second=10)
    answers = await asyncio.gather(*(ask(world, letter.link("Other")) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {302}
    assert len(await activities(world, "email_clicked")) == 1
    await ask(world, letter.link("Offer"))
    assert len(await activities(world, "email_clicked")) == 2
    world.pass_time(minutes=1)
    await ask(world, letter.link("Other"))
    assert len(await activities(world, "email_clicked")) == 3


@pytest.mark.parametrize(
    ("method", "agent", "after", "reason"),
    [
        ("HEAD", BROWSER, 60, "head"),
        ("GET", "Mozilla/5.0 (compatible; Googlebot/2.1)", 60, "agent"),
        ("GET", "Mozilla/5.0 (Windows NT 6.1) BingPreview/1.0b", 60, "agent"),
        ("GET", BROWSER, 2.9, "too-soon"),
        ("GET", BROWSER, 3, None),
        ("GET", "Mozilla/5.0", 60, None),
    ],
)
async def test_what_bots_click_is_told_and_moves_nobody(
    world: LinkedWorld, method: str, agent: str, after: float, reason: str | None
) -> None:
    traversal, letter = await mailed(world)
    world.pass_time(seconds=after - 60)
    answer = await ask(world, letter.link("Other"), method, agent=agent)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://us.example/other")
    [fields] = await activities(world, "email_clicked")
    assert (fields.get("bot"), fields.get("reason")) == (True if reason else None, reason)
    assert await label(world, traversal) == (None if reason else "clicked")


class Slow(CaptureTransport):
    """A relay that delivers what it was given and says so late, or to nobody; meanwhile ``reads`` it somebody."""

    def __init__(self, reads: Callable[[Outgoing], Awaitable[None]], *, dies: bool) -> None:
        super().__init__()
        self.reads, self.dies = reads, dies

    @asynccontextmanager
    async def session(self) -> AsyncIterator["Slow"]:
        yield self

    async def send(self, message: Outgoing, before_content: BeforeContent) -> Verdict:
        verdict = await super().send(message, before_content)
        await self.reads(message)
        if self.dies:
            raise asyncio.CancelledError
        return verdict


@pytest.mark.parametrize(
    "dies", [False, True], ids=["a late reply", "a worker killed after the dot"]
)
@pytest.mark.parametrize(("after", "reason"), [(2.9, "too-soon"), (3, None)])
async def test_click_before_the_relay_has_said_its_word_is_judged_by_the_hand_over(
    world: LinkedWorld, dies: bool, after: float, reason: str | None
) -> None:
    asked: list[str] = []

    async def read(message: Outgoing) -> None:
        world.pass_time(seconds=after)
        asked.append(Letter.of(message.content).link("Other"))
        await ask(world, asked[-1])

    world.transport = Slow(read, dies=dies)
    world.template("hi")
    workspace = world.workspace(JOURNEY)
    await world.load(workspace, accounts="account_id,name\na,Acme\n", people=PEOPLE)
    [traversal] = await world.enter(await world.publish(workspace, "linked"))
    with pytest.raises(asyncio.CancelledError) if dies else nullcontext():
        await world.walk(traversal)
    [fields] = await activities(world, "email_clicked")
    assert (fields.get("bot"), fields.get("reason")) == (True if reason else None, reason)
    world.pass_time(minutes=20)  # whatever becomes of the message
    await ask(world, asked[-1])
    assert [one.get("reason") for one in await activities(world, "email_clicked")] == [reason, None]


async def test_pixel_fetched_ahead_is_no_open(world: LinkedWorld) -> None:
    traversal, letter = await mailed(world)
    await ask(world, letter.pixel or "", agent="Mozilla/5.0")
    [fields] = await activities(world, "email_opened")
    assert (fields["bot"], fields["reason"]) == (True, "prefetch")
    assert await label(world, traversal) is None
    await ask(world, letter.pixel or "")  # the bot's look does not hide the person's
    assert await label(world, traversal) == "opened"


async def test_token_of_an_old_key_still_leads_on(world: LinkedWorld) -> None:
    await mailed(world)
    number = await world.engage.fetchval("select id from ledger where message_id is not null")
    old = links_of(world.url, LinkKeys([OLD_KEY]))(world.munchkin)
    answer = await ask(world, old.clicked(number, "https://us.example/then"))
    assert answer.headers["location"] == "https://us.example/then"


async def test_what_is_no_token_for_this_is_nothing_and_changes_nothing(world: LinkedWorld) -> None:
    _, letter = await mailed(world)
    number = await world.engage.fetchval("select id from ledger where message_id is not null")
    mine, before = links_of(world.url, world.keys), await changed(world)
    clicked, out = (
        letter.link("Other").rpartition("/")[2],
        letter.link("Unsubscribe").rpartition("/")[2],
    )
    stranger = links_of(world.url, LinkKeys(["stranger" * 4]))(world.munchkin)
    wrong = [
        f"/c/{out}", f"/o/{out}", f"/v/{out}", f"/u/{clicked}", f"/o/{clicked}",
        f"/c/{clicked[:-1]}", f"/c/{clicked}A", f"/c/{clicked}=", f"/c/{clicked}/", "/c/", "/u/x",
        mine("nobody").unsubscribe(number), mine("nobody").view(number),
        mine(world.munchkin).unsubscribe(number + 1_000), mine(world.munchkin).view(number + 1_000),
        stranger.clicked(number, "https://evil.example"), stranger.unsubscribe(number),
        "/c/https://evil.example", "/c/%2F%2Fevil.example", f"/c/x?url=https://evil.example&t={clicked}",
    ]  # fmt: skip
    for url in wrong:
        for method in ("GET", "POST") if "/u/" in url else ("GET",):
            answer = await ask(
                world,
                url,
                method,
                data={"List-Unsubscribe": "One-Click"} if method == "POST" else None,
            )
            assert answer.status_code == 404, (method, url)
            assert "location" not in answer.headers
    assert await changed(world) == before
    assert not await unsubscribed(world)


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


async def test_forged_tokens_never_lead_anywhere(world: LinkedWorld) -> None:
    _, letter = await mailed(world)
    urls = [
        letter.link("Other"),
        letter.link("Unsubscribe"),
        letter.link("View"),
        letter.pixel or "",
    ]
    before, loop = await changed(world), asyncio.get_running_loop()

    @settings(max_examples=150, deadline=None)
    @given(
        st.sampled_from(urls),
        st.sampled_from(["GET", "POST"]),
        st.integers(0, 200),
        st.sampled_from(["cut", "from behind", "swap"])
        | st.text(_LETTERS, min_size=1, max_size=120),
        st.sampled_from(_LETTERS),
    )
    def forge(url: str, method: str, at: int, how: str, other: str) -> None:
        start, _, token = url.rpartition("/")
        at %= len(token)
        forged = {
            "cut": token[:at],
            "from behind": token[at + 1 :],
            "swap": token[:at] + other + token[at + 1 :],
        }.get(how, how)
        assume(forged != token)
        method = method if "/u/" in url else "GET"
        asked = ask(world, f"{start}/{forged}", method, data={"unsubscribe": "yes"})
        answer = asyncio.run_coroutine_threadsafe(asked, loop).result(30)
        assert answer.status_code == 404
        assert "location" not in answer.headers

    await asyncio.to_thread(forge)
    assert await changed(world) == before
    assert not await unsubscribed(world)


async def unsubscribed(world: LinkedWorld) -> bool:
    return bool(
        await world.engage.fetchval("select (attributes -> 'unsubscribed')::bool from people")
    )


async def test_looking_at_the_way_out_changes_nothing(world: LinkedWorld) -> None:
    _, letter = await mailed(world)
    before = await changed(world)
    for method in ("GET", "HEAD"):
        answer = await ask(world, letter.link("Unsubscribe"), method)
        assert answer.status_code == 200
    page = (await ask(world, letter.link("Unsubscribe"))).text
    assert page.count("<button") == 1
    assert "p@a.example" not in page
    assert await changed(world) == before
    assert not await unsubscribed(world)


@pytest.mark.parametrize("how", ["one-click", "one-click multipart", "page"])
async def test_way_out_is_taken_once_and_reaches_the_platform(world: LinkedWorld, how: str) -> None:
    _, letter = await mailed(world)
    said: dict[str, Any] = {"data": {"List-Unsubscribe": "One-Click"}}
    if how == "one-click multipart":
        said = {"files": {"List-Unsubscribe": (None, "One-Click")}}
    if how == "page":
        said = {"data": {"unsubscribe": "yes"}}
    answers = await asyncio.gather(
        *(ask(world, letter.link("Unsubscribe"), "POST", **said) for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert "You are unsubscribed" in answers[0].text
    assert await unsubscribed(world)
    source = "page" if how == "page" else "one-click"
    assert await activities(world, "email_unsubscribed") == [
        {"template": "hi", "journey": "linked", "node": "mail", "source": source}
    ]
    assert len(await activities(world, "person_changed")) == 1
    while await sync.drain_page(world.engage, world.platform, world.munchkin, world.now):
        pass
    row = await world.platform.fetchrow("select attributes, stamps from people")
    assert row["attributes"]["unsubscribed"] is True
    assert row["stamps"]["unsubscribed"].startswith(world.now.strftime("%Y-%m-%dT%H:%M:%S"))


@pytest.mark.parametrize("restarted", [False, True])
async def test_links_of_mail_that_has_gone_outlive_the_pair_it_was_sent_in(
    world: LinkedWorld, restarted: bool
) -> None:
    """What people say meanwhile is kept where it was said, and comes up into the next sandbox."""
    _, letter = await mailed(world)
    way_out = letter.link("Unsubscribe")
    assert (await ask(world, way_out)).status_code == 200
    await life_cycle.abort(world.engage, "linked")
    async for _ in life_cycle.take_out(world.engage, "linked", world.now):
        pass

    async def stop() -> None:
        pass

    databases = Databases(world.stores.platform_dsn, world.stores.engage_dsn)
    await unpair(databases, world.munchkin, world.now, stop=stop, let_go=0)
    if restarted:
        await world.gateway.stop()
        await world.listen()
    world.pass_time(minutes=1)
    assert (await ask(world, way_out)).status_code == 200
    assert (await ask(world, letter.link("Offer"))).status_code == 302
    said = {"List-Unsubscribe": "One-Click"}
    assert (await ask(world, way_out, "POST", data=said)).status_code == 200
    assert await unsubscribed(world)
    assert len(await activities(world, "email_clicked")) == 1
    await pair_both(databases, world.sandbox, world.munchkin, world.now)
    attributes = await world.platform.fetchval("select attributes from people")
    assert attributes["unsubscribed"] is True


@pytest.mark.parametrize(
    "said",
    [
        {"data": {"List-Unsubscribe": "Maybe"}},
        {"data": {}},
        {"json": {"List-Unsubscribe": "One-Click"}},
        {"content": b"List-Unsubscribe=One-Click"},
        {"content": b"x" * 20_000, "headers": None},
    ],
)
async def test_any_other_post_is_no_word_of_the_persons(
    world: LinkedWorld, said: dict[str, Any]
) -> None:
    _, letter = await mailed(world)
    said.pop("headers", None)
    answer = await ask(world, letter.link("Unsubscribe"), "POST", **said)
    assert answer.status_code == 400
    assert not await unsubscribed(world)


async def test_web_page_is_the_copy_that_was_sent(world: LinkedWorld) -> None:
    _, letter = await mailed(world)
    world.write(
        "emails/hi.html",
        "---\nemail: hi\nsubject: x\n---\n<p>Another copy</p>{{ unsubscribe_link }}{{ postal_address }}",
    )
    await world.publish(world.workspace(JOURNEY), "linked", PIN)
    answer = await ask(world, letter.link("View"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    shown = Letter(answer.text, {})
    assert "Pia &amp; Co" in shown.html
    assert shown.link("Offer") == letter.link("Offer")
    assert shown.pixel is None
    await world.engage.execute("update people set deleted_at = now()")
    assert (await ask(world, letter.link("View"))).status_code == 404


async def test_click_leads_on_while_the_store_is_away_and_is_recorded_when_it_is_back(
    world: LinkedWorld,
) -> None:
    _, letter = await mailed(world)
    await world.engage.execute("alter table activities rename to mislaid")
    answer = await ask(world, letter.link("Other"))
    assert answer.headers["location"] == "https://us.example/other"
    await world.engage.execute("alter table mislaid rename to activities")
    async with asyncio.timeout(20):
        while not await activities(world, "email_clicked"):
            await asyncio.sleep(0.05)


def withheld(smtp_url: str, **environment: str) -> str | None:
    """Why marketing mail would not leave under these settings."""
    home = {"CARAVAN_HOME": "/nowhere", "SMTP_URL": smtp_url}
    with patch.dict(os.environ, home | environment):
        settings = Settings.load(("smtp_url",))
        return mail_settings.withheld(settings, mail_settings.relay(settings))


async def test_marketing_mail_waits_for_a_public_address_where_the_relay_is_outside(
    world: LinkedWorld,
) -> None:
    assert "PUBLIC_URL is not set" in str(withheld("smtp://relay.example"))
    here = "http://127.0.0.1:8088"
    assert here in str(withheld("smtp://relay.example", PUBLIC_URL=here, LINK_KEYS="k" * 32))
    there = "https://go.example"
    assert "LINK_KEYS" in str(withheld("smtp://relay.example", PUBLIC_URL=there))
    assert withheld("smtp://relay.example", PUBLIC_URL=there, LINK_KEYS="k" * 32) is None
    assert withheld("smtp://127.0.0.1:25") is None

    relay = Relay()
    await relay.start()
    try:
        await _waits(world, relay, str(withheld("smtp://relay.example")))
    finally:
        await relay.stop()


async def _waits(world: LinkedWorld, relay: Relay, why: str) -> None:
    both = JOURNEY.replace(
        "do: [{send_email: {template: hi}}]",
        "do: [{send_email: {template: hi}}, {send_email: {template: note}}]",
    )
    world.template("hi")
    world.template("note", "operational: true\n")
    workspace = world.workspace(both)
    await world.load(workspace, accounts="account_id,name\na,Acme\n", people=PEOPLE)
    [traversal] = await world.enter(await world.publish(workspace, "linked"))
    mailing = Mailing(relay.transport(), None, why)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LinkedWorld, "mailing", property(lambda _self: mailing))
        for _ in range(2):
            with pytest.raises(RelayUnreachable, match="PUBLIC_URL"):
                await world.walk(traversal)
    rows = {row["template"]: row for row in await world.ledger() if row["message_id"]}
    assert (rows["hi"]["state"], rows["hi"]["reply"]) == ("claimed", why)
    assert rows["note"]["state"] == "accepted"
    assert len(relay.mails) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            LinkedWorld,
            "mailing",
            property(lambda _self: Mailing(relay.transport(), links_of(world.url, world.keys))),
        )
        assert (await world.walk(traversal)).position == "hear"
    assert len(relay.mails) == 2
