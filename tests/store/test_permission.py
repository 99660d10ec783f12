"""Who may be written to: fields, consent, suppressed addresses and domains, as they stand at the claim."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caravan.campaigns import permission
from caravan.campaigns.candidates import Candidate
from caravan.campaigns.served import Served
from caravan.engage import sql, suppressions
from caravan.journeys.suppressing import address_key, keys_of, phone_key, read_subject
from tests.world import World

JOURNEY = """
journey: post
audience: everyone
schedule: {end: 30 days}
start: mail
nodes:
  mail: {do: [{send_email: {template: hi}}], end: sent}
"""

PEOPLE = """person_id,email,unsubscribed,email_consent,suspended,email_invalid,account_id
plain,plain@a.example,,,,,a
agreed,agreed@a.example,no,y,no,no,a
out,out@a.example,true,,,,a
refused,refused@a.example,,n,,,a
both,both@a.example,true,n,,,a
resting,resting@a.example,,,true,,a
gone,gone@a.example,,,,true,a
bounced,Bounced@A.example,,,,,a
complained,complained@a.example,,,,,a
listed,listed@a.example,,,,,a
beneath,b@mail.blocked.example,,,,,a
within,w@blocked.example,,,,,a
beside,b@notblocked.example,,,,,a
idn,i@blåbär.example,,,,,a
asked,asked@a.example,,,,,a
odd,no address,,,,,a
"""

MARKETING = {
    "plain": "accepted", "agreed": "accepted", "out": "unsubscribed", "refused": "no-consent",
    "both": "unsubscribed", "resting": "suspended", "gone": "invalid-address", "bounced": "invalid-address",
    "complained": "blocked", "listed": "blocked", "beneath": "blocked", "within": "blocked",
    "beside": "accepted", "idn": "blocked", "asked": "unsubscribed", "odd": "invalid-address",
}  # fmt: skip


async def start(world: World, *, operational: bool = False, people: str = PEOPLE) -> int:
    workspace = world.workspace(JOURNEY, ("hi",))
    if operational:
        file = world.folder / "emails/hi.html"
        text = file.read_text().replace("email: hi", "email: hi\noperational: true")
        file.write_text(text)
        workspace = world.workspace(JOURNEY)
    await world.load(workspace, accounts="account_id,name\na,Acme\n", people=people)
    [traversal] = await world.enter(await world.publish(workspace, "post"))
    for subject, reason in (
        ("bounced@a.example", "hard_bounce"),
        ("complained@a.example", "complaint"),
        ("listed@a.example", "blocked"),
        ("blocked.example", "blocked"),
        ("blåbär.example", "blocked"),
        ("asked@a.example", "opt_out"),
    ):
        await suppress(world, subject, reason)
    return traversal


async def suppress(world: World, subject: str, reason: str = "blocked") -> None:
    await suppressions.add(
        world.engage, [read_subject(subject)], reason, source="test", at=world.now
    )


async def outcomes(world: World) -> dict[str, str]:
    rows = await world.engage.fetch(
        "select p.external_id, coalesce(l.reason, l.state) as outcome from ledger l"
        " join people p on p.id = l.person_id"
    )
    return {row["external_id"]: row["outcome"] for row in rows}


async def test_every_reason_is_told_and_the_first_counts(world: World) -> None:
    await world.walk(await start(world))
    assert await outcomes(world) == MARKETING


async def test_operational_mail_ignores_what_people_opted_out_of_and_nothing_else(
    world: World,
) -> None:
    await world.walk(await start(world, operational=True))
    opted_out = ("unsubscribed", "no-consent", "suspended")
    assert await outcomes(world) == {
        person: "accepted" if outcome in opted_out else outcome
        for person, outcome in MARKETING.items()
    }


async def test_what_commits_before_the_claims_statement_counts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The people were read before; somebody unsubscribes, another is suppressed, a third is let go."""
    traversal = await start(world)
    seen = permission._withheld

    async def meanwhile(conn: Any, *arguments: Any) -> dict[int, str]:
        await world.engage.execute(
            """update people set attributes = attributes || '{"unsubscribed": true}' where external_id = 'plain'"""
        )
        await suppress(world, "agreed@a.example", "hard_bounce")
        await suppressions.remove(world.engage, ["listed@a.example"], why="a mistake", at=world.now)
        return await seen(conn, *arguments)

    monkeypatch.setattr(permission, "_withheld", meanwhile)
    await world.walk(traversal)
    assert (await outcomes(world)).items() >= {
        "plain": "unsubscribed",
        "agreed": "invalid-address",
        "listed": "accepted",
    }.items()


async def test_another_try_looks_again(world: World) -> None:
    traversal = await start(world)
    from caravan.campaigns import mail_claims, stretch

    await stretch.run(world.engage, world.plans, traversal, 1, world.now)
    state = await world.state(traversal)
    claimed = await mail_claims.claim(
        world.engage, world.plans, world.mailing, traversal, state.step_no, "died", world.now
    )
    assert not isinstance(claimed, Served)
    assert (await outcomes(world))["plain"] == "claimed"
    await suppress(world, "plain@a.example")
    await world.send(traversal, claimant="another")
    assert (await outcomes(world))["plain"] == "blocked"
    assert "plain@a.example" not in [recipient for _, recipient in world.mailed()]


async def test_texts_go_to_who_has_said_yes(world: World) -> None:
    people = {
        "yes": ("0046 70-123 45 67", True),
        "nothing": ("+46701234568", None),
        "no": ("+46701234569", False),
        "stopped": ("+46701234560", True),
        "blocked": ("+46701234561", True),
        "wrong": ("070", True),
        "without": (None, True),
    }
    candidates = []
    for number, (name, (phone, consent)) in enumerate(people.items(), 1):
        attributes = {
            key: value
            for key, value in (("mobile_phone", phone), ("sms_consent", consent))
            if value is not None
        }
        await world.engage.execute(
            "insert into people (id, external_id, attributes) values ($1, $2, $3)",
            number,
            name,
            attributes,
        )
        candidates.append(Candidate(number, attributes))
    await suppress(world, "+46 70 123 45 60", "opt_out")
    await suppress(world, "+46701234561")
    names = dict(enumerate(people, 1))

    async def told(operational: bool) -> dict[str, str | None]:
        reasons = await permission.may_text(world.engage, candidates, operational)
        return {names[number]: reason for number, reason in reasons.items()}

    fixed = {"blocked": "blocked", "wrong": "invalid-address", "without": "no-address"}
    marketing = {"yes": None, "nothing": "no-consent", "no": "no-consent", "stopped": "no-consent"}
    assert await told(operational=False) == marketing | fixed
    # a STOP is said to all that the number sends, what is operational too
    stopped = {"stopped": "no-consent"}
    assert await told(operational=True) == dict.fromkeys(marketing) | stopped | fixed


async def test_check_asks_a_large_list_by_key_alone(world: World) -> None:
    await world.engage.execute(
        "insert into suppressions (subject, reason, source, added_at)"
        " select 'someone' || n || '@there.example', 'blocked', 'test', now() from generate_series(1, 20000) n"
    )
    await world.engage.execute(
        """insert into people (id, external_id, attributes)
           select n, 'p' || n, jsonb_build_object('email', 'someone' || n || '@there.example')
           from generate_series(1, 5000) n"""
    )
    for table in ("suppressions", "people"):
        await world.engage.execute(f"analyze {table}")
    keys = {number: keys_of(f"someone{number}@there.example") for number in range(1, 21)}
    async with world.engage.acquire() as conn, conn.transaction():
        await conn.execute("set local plan_cache_mode = force_generic_plan")
        for query in ("mail_withheld", "texts_withheld"):
            plan = await conn.fetchval(
                f"explain (format json) {sql.sql(query)}",
                [person for person, subjects in keys.items() for _ in subjects],
                [subject for subjects in keys.values() for subject in subjects],
                list(keys),
            )
            assert "Seq Scan" not in str(plan), query


ADDRESSES = st.emails()


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(ADDRESSES)
def test_an_address_is_suppressed_by_itself_and_by_its_domains_alone(address: str) -> None:
    domain = address.rpartition("@")[2]
    assert keys_of(address)[0] == address_key(address) == address_key(address.swapcase().lower())
    assert keys_of(address)[1] == domain.lower()
    assert all(f".{domain.lower()}".endswith(f".{key}") for key in keys_of(address)[1:])
    assert len(set(keys_of(address))) == len(keys_of(address))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        ("@example.com", "example.com"),
        ("Example.com.", "example.com"),
        ("blåbär.example", "xn--blbr-noae.example"),
        ("+46 (70) 123-45 67", "+46701234567"),
    ],
)
def test_subjects_are_read_as_they_are_kept(written: str, kept: str) -> None:
    assert read_subject(written) == kept
    assert read_subject(kept) == kept


@pytest.mark.parametrize("written", ["", "localhost", "a@b@c", "two words", "+12", "a b@c.example"])
def test_what_is_no_subject_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        read_subject(written)


def test_numbers_are_compared_as_e164() -> None:
    assert phone_key("0046701234567") == "+46701234567"
    assert phone_key("070 123 45 67") is None  # whose country nobody knows
