"""Mail before it is sent: preview, proof, and a whole journey to one address."""

import asyncio
import email
import email.policy
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from caravan.stack.stack import Stack
from tests import commands
from tests.relay import Relay

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = str(ROOT / "examples" / "grid-analytics")
AT = "2026-11-01T08:00:00Z"

Run = Callable[..., commands.Ended]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("proofs") / "home"
    yield folder
    Stack(folder / "simulation").discard()


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    server = Relay()
    await server.start()
    yield server
    await server.stop()


async def caravan(home: Path, relay: Relay, *arguments: str) -> commands.Ended:
    run = functools.partial(
        commands.caravan,
        *arguments,
        CARAVAN_HOME=str(home),
        SMTP_URL=f"smtp://127.0.0.1:{relay.port}",
    )
    return await asyncio.to_thread(run)


def taken(relay: Relay) -> list[EmailMessage]:
    return [email.message_from_bytes(one, policy=email.policy.default) for one in relay.contents]  # type: ignore[misc]


async def test_preview_writes_html_and_text_and_sends_nothing(
    home: Path, relay: Relay, tmp_path: Path
) -> None:
    told = await caravan(
        home, relay, "email", "preview", "welcome", EXAMPLE, "--person", "p-01-2", "--account", "acc-01",
        "--data-files", "--out", str(tmp_path / "out"),
    )  # fmt: skip
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.splitlines()[0] == "Subject: Karl, a look at Nordvind Kraft"
    assert "Nordvind Kraft" in (tmp_path / "out" / "welcome.html").read_text()
    assert "Hello Karl," in (tmp_path / "out" / "welcome.txt").read_text()
    assert relay.mails == []


async def test_proof_goes_to_the_address_alone_and_twice_is_two_mails(
    home: Path, relay: Relay
) -> None:
    arguments = ("email", "test", "welcome", EXAMPLE, "--person", "p-01-2", "--to", "me@us.example")
    for _ in range(2):
        told = await caravan(home, relay, *arguments, "--data-files")
        assert told.returncode == 0, told.stderr
    assert [to for to, _ in relay.mails] == ["me@us.example"] * 2
    assert len({identity for _, identity in relay.mails}) == 2
    for message in taken(relay):
        assert message["Subject"] == "[Proof] Karl, a look at Nordvind Kraft"
        assert message["To"] == "me@us.example"
        assert message["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("welcom", EXAMPLE, "--person", "p-01-1"), "No e-mail welcom"),
        (("welcome", EXAMPLE, "--person", "nobody"), "No person nobody"),
        (("welcome", EXAMPLE, "--person", "p-01-1", "--account", "acc-09"), "of account acc-09"),
        (("welcome", EXAMPLE, "--person", "p-01-1", "--journey", "grid"), "No journey grid"),
    ],
)
async def test_what_is_not_there_is_said(
    home: Path, relay: Relay, arguments: tuple[str, ...], sentence: str
) -> None:
    told = await caravan(home, relay, "email", "preview", *arguments, "--data-files")
    assert told.returncode == 2
    assert sentence in told.stderr


async def test_relay_that_refuses_is_quoted(home: Path, relay: Relay) -> None:
    relay.when("RCPT", "550 5.1.1 no such user", times=None)
    told = await caravan(
        home, relay, "email", "test", "welcome", EXAMPLE, "--person", "p-01-1", "--to", "me@us.example",
        "--data-files",
    )  # fmt: skip
    assert told.returncode == 1
    assert "no such user" in told.stderr


async def test_whole_journey_goes_to_one_address_and_says_whose_each_mail_is(
    home: Path, relay: Relay
) -> None:
    arguments = ("journey", "test-send", "grid-nurture", "--dir", EXAMPLE, "--at", AT)
    told = await caravan(home, relay, *arguments, "--account", "acc-01", "--to", "me@us.example")
    assert told.returncode == 0, told.stderr
    assert {to for to, _ in relay.mails} == {"me@us.example"}
    messages = taken(relay)
    assert 0 < len(messages) <= 20
    assert all("acc-01 at grid-nurture/" in message["Subject"] for message in messages)
    said = messages[0]["X-Caravan-Test"]
    assert "account=acc-01; entry=1; person=p-01-1; node=grid-nurture/welcome;" in said
    assert len({identity for _, identity in relay.mails}) == len(messages)


@pytest.mark.long
async def test_many_mails_are_not_sent_without_asking(home: Path, relay: Relay) -> None:
    arguments = ("journey", "test-send", "grid-nurture", "--dir", EXAMPLE, "--at", AT)
    told = await caravan(home, relay, *arguments, "--to", "me@us.example")
    assert told.returncode == 1
    assert "Send them?" in told.stderr
    assert relay.mails == []


EVERY_KIND = """
workspace: kinds
subscription: {munchkin: kinds-1, sandbox: kinds-box}
sender: {name: Us, email: us@us.example}
postal_address: 1 Street
data: data/
---
audience: everyone
of: accounts
when: {account: {name: {empty: false}}}
---
roles_template: team
roles: [{role: chief, required: true, when: {person: {job_title: Chief}}}]
---
solution_interest: grid
roles_template: team
---
buying_groups: teams
solution_interest: grid
audience: everyone
---
journey: all
audience: everyone
schedule: {end: 30 days}
start: all
nodes:
  all: {do: [{send_email: {template: hi}}, {send_sms: {text: "Hi {{ person.first_name }} <now>"}}, {send_sales_alert: {solution_interest: grid, to: [ann@sales.example]}}], end: over}
"""


async def test_texts_and_alerts_of_a_journey_come_by_mail_too(
    home: Path, relay: Relay, tmp_path: Path
) -> None:
    (tmp_path / "ws.yaml").write_text(EVERY_KIND)
    (tmp_path / "emails").mkdir()
    (tmp_path / "emails" / "hi.html").write_text(
        "---\nemail: hi\nsubject: Hello\n---\n<html><body><p>hi</p></body></html>\n"
    )
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "accounts.csv").write_text("account_id,name\na,Acme\n")
    (tmp_path / "data" / "people.csv").write_text(
        "person_id,email,first_name,job_title,mobile_phone,sms_consent,account_id\n"
        "p1,p1@a.example,Pia,Chief,+46701234567,true,a\n"
    )
    arguments = ("journey", "test-send", "all", "--dir", str(tmp_path), "--to", "me@us.example")
    told = await caravan(home, relay, *arguments)
    assert told.returncode == 0, told.stderr
    assert "3 messages of all sent to me@us.example" in told.stdout
    assert {to for to, _ in relay.mails} == {"me@us.example"}
    mail, text, alert = taken(relay)
    assert mail["Subject"].endswith("UTC] Hello")
    assert text["Subject"].startswith("[Test: p1 of a at all/all,")
    assert text["Subject"].endswith("UTC] Text to +46701234567, 1 segment")
    plain, html = text.iter_parts()
    assert plain.get_content().strip() == "Hi Pia <now>"  # type: ignore[attr-defined]
    assert "Hi Pia &lt;now&gt;" in html.get_content()  # type: ignore[attr-defined]
    assert alert["Subject"].startswith("[Test: ann@sales.example of a at all/all,")
    assert "message=send_sales_alert" in alert["X-Caravan-Test"]
