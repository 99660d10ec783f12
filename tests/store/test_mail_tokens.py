"""What a mail may speak of: the account's buying group, the journey's clock, fragments."""

import email
import email.policy

from caravan.campaigns import previews
from caravan.engage import copies
from caravan.journeys.time import in_zone
from tests.grouping import Grouping
from tests.world import World

JOURNEY = """
roles_template: team
roles: [{role: chief, required: true, members_required: 3}, {role: champion}]
---
stage_model: sales
stages: [{stage: open, entry: true, to: [won]}, {stage: won, success: true}]
---
solution_interest: grid
roles_template: team
stage_model: sales
---
journey: main
audience: everyone
zone: America/New_York
schedule: {end: 90 days}
start: act
nodes:
  act: {do: [{send_email: {template: hi}}], next: rest}
  rest: {wait: 80 days}
"""
MAIL = """---
email: hi
subject: "{{ now | date: '%Y-%m-%d %H:%M' }}"
operational: true
solution_interest: grid
---
<p>{{ buying_group.role }}|{{ buying_group.stage }}|{{ buying_group.completeness }}|{{ buying_group.solution_interest }}|</p>
"""
DATA = {
    "accounts": "account_id,name\na,Acme\n",
    "people": "person_id,email,account_id\np,p@a.example,a\nq,q@a.example,a\n",
}


async def sent(world: World, *, group: bool) -> dict[str, tuple[str, str]]:
    """Subject and first line of the text, by recipient."""
    world.write("emails/hi.html", MAIL)
    workspace = world.workspace(JOURNEY)
    await world.load(workspace, **DATA)
    journey = await world.publish(workspace, "main")
    grouping = Grouping(world)
    await grouping.store(workspace)
    [traversal] = await world.enter(journey)
    if group:
        await grouping.assign(await grouping.group("a"), "chief", "manual", "p")
        await world.engage.execute("update buying_groups set stage = 'open'")
    await world.walk(traversal)
    found = {}
    for one in world.transport.messages:
        message = email.message_from_bytes(one.content, policy=email.policy.default)
        text = message.get_body(("plain",)).get_content()  # type: ignore[attr-defined]
        found[one.recipient] = (message["Subject"], text.strip())
    return found


async def test_mail_speaks_of_the_accounts_group_and_of_each_persons_role(world: World) -> None:
    mails = await sent(world, group=True)
    # one chief of three: 33.3 %
    assert mails["p@a.example"][1] == "chief|open|33|grid|"
    assert mails["q@a.example"][1] == "|open|33|grid|"


async def test_account_without_a_group_has_null_fields(world: World) -> None:
    assert {text for _, text in (await sent(world, group=False)).values()} == {"||||"}


async def test_now_is_the_instant_on_the_journeys_clock(world: World) -> None:
    world.now = world.now.replace(
        year=2026, month=7, day=2, hour=2, minute=5, second=0, microsecond=0
    )
    mails = await sent(world, group=False)
    assert {subject for subject, _ in mails.values()} == {"2026-07-01 22:05"}


LIVE = """
journey: main
audience: everyone
schedule: {end: 90 days}
start: act
nodes:
  act: {do: [{send_email: {template: hi}}], next: rest}
  rest: {wait: 2 days, next: again}
  again: {do: [{send_email: {template: hi}}]}
"""


async def test_published_version_keeps_its_fragments_and_a_live_copy_brings_new_ones(
    world: World,
) -> None:
    def write(words: str) -> None:
        world.write(
            "emails/hi.html",
            "---\nemail: hi\nsubject: s\noperational: true\n---\n{% render 'hero', to: account.name %}",
        )
        world.write("emails/fragments/hero.html", f"<p>{words} {{{{ to }}}}</p>")

    write("first")
    workspace = world.workspace(LIVE)
    await world.load(workspace, **DATA)
    [traversal] = await world.enter(await world.publish(workspace, "main"))
    write("second")
    await world.walk(traversal)
    assert [one.content.count(b"first Acme") for one in world.transport.messages] == [2, 2]
    changed = world.workspace(LIVE).templates["hi"]
    assert await copies.publish(world.engage, changed, world.now) == [copies.Changed("main", 1, 1)]
    world.pass_time(days=3)
    await world.walk(traversal)
    later = world.transport.messages[2:]
    assert [one.content.count(b"second Acme") for one in later] == [2, 2]


async def test_proof_says_what_the_store_has_and_the_platform_knows_no_groups(world: World) -> None:
    await sent(world, group=True)
    [found] = await previews.in_engage(world.engage, "P@a.example", None, "grid")
    assert (found.person, found.account, found.group["role"]) == ("p", "a", "chief")
    assert found.group["completeness"] == 33
    [found] = await previews.in_platform(world.platform, "p", "a")
    assert set(found.group.values()) == {None}
    assert await previews.in_engage(world.engage, "p", "b", "grid") == []
    assert await previews.in_engage(world.engage, "nobody", None, None) == []
    workspace = world.workspace(JOURNEY)
    letter = previews.preview(
        workspace, "hi", found, workspace.journeys["main"],
        to_address="me@us.example", identity="<1@us.example>", at=world.now,
    )  # fmt: skip
    assert letter.rendered.text.strip() == "||||"
    assert letter.rendered.subject == f"{in_zone(world.now, 'America/New_York'):%Y-%m-%d %H:%M}"


async def test_proof_is_noted_nowhere(world: World) -> None:
    await sent(world, group=False)
    before = await world.ledger()
    [found] = await previews.in_engage(world.engage, "p", None, "grid")
    previews.preview(
        world.workspace(JOURNEY), "hi", found, None,
        to_address="me@us.example", identity="<1@us.example>", at=world.now,
    )  # fmt: skip
    assert await world.ledger() == before
