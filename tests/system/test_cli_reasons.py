"""What the CLI says of why: whose event or opportunity decided, and what the relay said."""

import asyncio
import json
from typing import Any

import pytest

from caravan.delivery.transport import Accepted, BeforeContent, Outgoing, Refused, Verdict
from tests.commands import caravan
from tests.world import World

JOURNEY = """
journey: trip
audience: everyone
schedule: {end: 30 days}
start: mail
nodes:
  mail: {do: [{send_email: {template: hi}}], next: deal}
  deal: {split: accounts, paths: [{when: {opportunity: {is_closed: false}}, next: roles}]}
  roles:
    split: people
    paths:
      - label: Known
        when: {opportunity: {is_closed: false}}
        do: [{person_interesting_moment: {type: web, text: Known}}]
    next: ears
  ears: {listen: [{form_filled: {form: meeting, end: met}}], timeout: {after: 1 day, end: silence}}
"""
#: rows before those of the account, so that no id of ours is one of theirs by chance
ACCOUNTS = "account_id,name\nz,Zed\na,Acme\n"
PEOPLE = "person_id,email,account_id\nz,z@z.example,z\np,p@a.example,a\nq,q@a.example,a\n"
OPPORTUNITIES = "opportunity_id,account_id,is_closed\ndeal-y,z,true\ndeal-x,a,false\n"


class Choosy:
    """A relay that does not know one of two."""

    def session(self) -> "Choosy":
        return self

    async def __aenter__(self) -> "Choosy":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def send(self, message: Outgoing, before_content: BeforeContent) -> Verdict:
        await before_content()
        if message.recipient == "q@a.example":
            return Refused(550, "550 no such user")
        return Accepted("250 taken with pleasure")


class Cli:
    """Runs commands on a world's stores."""

    def __init__(self, world: World) -> None:
        self._environment = {
            "PLATFORM_DSN": world.stores.platform_dsn,
            "ENGAGE_DSN": world.stores.engage_dsn,
            "TEMPORAL_ADDRESS": "127.0.0.1:1",
            "SMTP_URL": "smtp://127.0.0.1:1",
            "CARAVAN_SUBSCRIPTION": world.munchkin,
        }

    async def say(self, *arguments: str) -> str:
        ended = await asyncio.to_thread(caravan, *arguments, **self._environment)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    async def json(self, *arguments: str) -> Any:
        return json.loads(await self.say(*arguments, "--format", "json"))


@pytest.fixture
async def cli(world: World) -> Cli:
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE, opportunities=OPPORTUNITIES)
    traversals = await world.enter(await world.publish(workspace, "trip"))
    world.transport = Choosy()  # type: ignore[assignment]
    for traversal in traversals:
        await world.walk(traversal)
    world.pass_time(hours=1)
    await world.happen("form_filled", person="p", form="meeting")
    for traversal in traversals:
        await world.walk(traversal)
    return Cli(world)


async def test_reasons_name_people_and_opportunities_as_their_team_does(cli: Cli) -> None:
    [journey] = (await cli.json("account", "show", "a"))["journeys"]
    assert journey["label"] == "met"
    steps = {(step["node"], step["kind"]): step for step in journey["steps"]}
    [chosen] = [step for (node, _), step in steps.items() if node == "deal"]
    assert list(chosen["because"].values()) == ["deal-x"]
    [heard] = [step for step in steps.values() if "person" in step.get("because", {})]
    assert heard["because"]["person"] == "p"
    [told] = [step["people"] for step in steps.values() if "people" in step]
    assert [list(one["because"].values()) for one in told.values()] == [["deal-x"], ["deal-x"]]


async def test_steps_are_told_in_the_words_of_the_language(cli: Cli) -> None:
    told = await cli.say("account", "show", "a")
    for words in (
        "mail do · mail: ",
        "1 refused",
        " → deal",
        "deal split · path 1 → roles",
        "because opportunity deal-x (is_closed is False)",
        "roles split · person_interesting_moment → ears",
        "ears listen · listens until ",
        "ears listen · heard form_filled → out, completed (met)",
    ):
        assert words in told
    for internal in ("choose", "store", "send "):
        assert internal not in told


async def test_json_of_all_commands_has_one_scheme(cli: Cli) -> None:
    """docs/cli.md: names of one kind are under one key, and ids of ours are nowhere."""
    [row, *_] = await cli.json("accounts", "--journey", "trip")
    about = {"journey": "trip", "version": 1}
    assert row.items() >= {"account": "z", "account_name": "Zed", **about}.items()
    [mail, *_] = await cli.json("mail")
    person = await cli.json("person", "show", "q")
    [effect, *_] = person["effects"]
    assert person["person"] == "q"
    for one in (mail, effect):
        assert one.items() >= {"account_name": "Acme", "account": "a", **about}.items()
        assert one["node"] == "mail"
    shown = await cli.json("account", "show", "a")
    assert (shown["account"], shown["account_name"], shown["people"]) == ("a", "Acme", ["p", "q"])
    step = next(step for step in shown["journeys"][0]["steps"] if "effects" in step)
    assert set().union(*step["effects"]) == {
        "action",
        "person",
        "state",
        "reply",
        "template",
        "message_id",
    }
    [journey] = await cli.json("journeys")
    assert (await cli.json("journey", "show", "trip"))["versions"] == [journey]
    for told in (row, mail, effect, person, shown, journey):
        assert not {"id", "name", "slug", "account_id", "person_id", "external_id"} & set(told)


async def test_relay_that_refuses_is_quoted_and_one_that_accepts_is_not(cli: Cli) -> None:
    for command in (["mail"], ["person", "show", "q"], ["account", "show", "a"]):
        told = await cli.say(*command)
        assert "550 no such user" in told, command
        assert "with pleasure" not in told, command
    assert "550" not in await cli.say("person", "show", "p")
    [refused] = await cli.json("mail", "--state", "refused")
    assert (refused["reason"], refused["reply"]) == (None, "550 no such user")


async def test_help_calls_the_program_by_its_name(cli: Cli) -> None:
    assert "Usage: caravan account show" in await cli.say("account", "show", "--help")


EXITING = """
journey: again
audience: everyone
schedule: {end: 90 days}
reentry: {after: 1 hour, from: end, limit: 2}
exits: [{label: deal, goal: true, when: {opportunity: {is_closed: false}}, do: [{send_email: {template: hi}}]}]
start: fork
nodes:
  fork: {variants: accounts, method: quota, paths: [{label: A, share: 50, next: rest}, {label: B, share: 50, next: rest}]}
  rest: {wait: 1 day, end: rested}
"""


async def test_account_that_waits_for_its_day_is_told_so(world: World) -> None:
    rules = "admit: {per_day: 1}\nstart:"
    workspace = world.workspace(EXITING.replace("start:", rules), ("hi",))
    await world.load(workspace, accounts=ACCOUNTS)
    await world.enter(await world.publish(workspace, "again"))
    cli = Cli(world)
    told = [await cli.say("account", "show", account) for account in ("a", "z")]
    [waits] = [one for one in told if "in no journey yet" in one]
    assert "waits to enter again v1 since " in waits
    assert "1 enter a day" in waits


async def test_operator_sees_exits_goals_variants_and_why_an_account_stays_out(
    world: World,
) -> None:
    workspace = world.workspace(EXITING, ("hi",))
    await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE, opportunities=OPPORTUNITIES)
    journey_id = await world.publish(workspace, "again")
    await world.enter(journey_id)
    for _ in range(3):
        for traversal in await world.admit(journey_id):
            await world.walk(traversal)
        world.pass_time(days=2)
    cli = Cli(world)
    told = await cli.say("account", "show", "a")
    assert "2 of 2 entries used" in told
    assert "exit:deal" in told
    shown = await cli.json("account", "show", "a")
    assert shown["entries"][0]["refused"] == "2 of 2 entries used"
    [fork, does, *_] = shown["journeys"][0]["steps"]
    assert (fork["outcome"], next(iter(fork["because"]))) == (
        "exit:deal",
        "opportunity(is_closed is False)",
    )
    assert does["node"] == "exit:deal"
    journey = await cli.json("journey", "show", "again")
    exits = {(row["reason"], row["label"]): row["goal"] for row in journey["exits"]}
    assert exits == {
        ("exit", "deal"): True,
        ("completed", "rested"): False,
        ("inside", None): False,
    }
    nodes = {row["node"]: row["paths"] for row in journey["nodes"]}
    assert nodes["fork"] == {"exit:deal": 2, "A": 1, "B": 1}
    assert "anywhere" in await cli.say("journey", "show", "again", "--diagram")


async def test_reports_tell_messages_and_outcomes(cli: Cli) -> None:
    told = await cli.json("report", "emails", "--journey", "trip")
    [hi] = told["emails"]
    assert (hi["email"], hi["sent"], hi["refused"]) == ("hi", told["all"]["sent"], 1)
    assert hi["delivery_rate"] == 1.0
    head, row = (await cli.say("report", "emails", "--format", "csv")).splitlines()
    assert dict(zip(head.split(","), row.split(","), strict=True))["sent"] == str(hi["sent"])
    journey = await cli.json("report", "journey", "trip")
    assert sum(one["accounts"] for one in journey["outcomes"]) == journey["entered"]
    assert journey["emails"] == told["emails"]
    assert "<svg" in await cli.say("report", "journey", "trip", "--format", "html")
    assert "E-mails" in await cli.say("report", "journey", "trip")


async def test_reports_refuse_what_cannot_be_asked(cli: Cli) -> None:
    ended = await asyncio.to_thread(
        caravan,
        *("report", "emails", "--from", "2026-03-02", "--to", "2026-03-01"),
        **cli._environment,
    )
    assert ended.returncode == 2
    assert "before it starts" in ended.stderr
