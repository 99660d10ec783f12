"""What the product is about: a person is carried along by the account."""

from tests.world import World

JOURNEY = """
journey: carry
audience: everyone
schedule: {end: 30 days}
start: early
nodes:
  early:
    do: [{send_email: {template: early}}]
    next: interest
  interest:
    listen: [{email_clicked: {template: early}}]
    timeout: {after: 5 days, end: quiet}
    next: closing
  closing:
    do: [{send_email: {template: closing}}]
    end: done
"""


async def test_account_mail_reaches_people_who_never_reacted_and_who_joined_late(
    world: World,
) -> None:
    workspace = world.workspace(JOURNEY, ("early", "closing"))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,account_id\nclicker,c@a.example,a\nsilent,s@a.example,a\n",
    )
    journey = await world.publish(workspace, "carry")
    [traversal] = await world.enter(journey)
    await world.walk(traversal)
    assert world.mailed() == [("early", "c@a.example"), ("early", "s@a.example")]

    world.pass_time(hours=1)
    await world.load(workspace, people="person_id,email,account_id\nlate,l@a.example,a\n")
    await world.follow()
    await world.happen("email_clicked", person="clicker", template="early")
    state = await world.walk(traversal)

    assert state.ended is not None
    assert state.ended.label == "done"
    assert sorted(world.mailed()[2:]) == [
        ("closing", "c@a.example"),
        ("closing", "l@a.example"),
        ("closing", "s@a.example"),
    ]


async def test_listen_times_out_when_nobody_reacts(world: World) -> None:
    workspace = world.workspace(JOURNEY, ("early", "closing"))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,account_id\np,p@a.example,a\n",
    )
    [traversal] = await world.enter(await world.publish(workspace, "carry"))
    await world.walk(traversal)
    world.pass_time(days=4)
    assert (await world.walk(traversal)).position == "interest"
    world.pass_time(days=1)
    state = await world.walk(traversal)
    assert state.ended is not None
    assert state.ended.label == "quiet"


async def test_event_after_the_timeout_does_not_count(world: World) -> None:
    workspace = world.workspace(JOURNEY, ("early", "closing"))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,account_id\np,p@a.example,a\n",
    )
    [traversal] = await world.enter(await world.publish(workspace, "carry"))
    await world.walk(traversal)
    world.pass_time(days=5, seconds=1)
    await world.happen("email_clicked", person="p", template="early")
    state = await world.walk(traversal)
    assert state.ended is not None
    assert state.ended.label == "quiet"


async def test_skipped_people_have_a_reason_and_the_account_goes_on(world: World) -> None:
    workspace = world.workspace(JOURNEY, ("early", "closing"))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,unsubscribed,account_id\n"
        "gone,g@a.example,true,a\nodd,not an address,,a\nfine,f@a.example,,a\n",
    )
    [traversal] = await world.enter(await world.publish(workspace, "carry"))
    state = await world.walk(traversal)
    assert state.position == "interest"
    assert sorted((row["state"], row["reason"]) for row in await world.ledger()) == [
        ("accepted", None),
        ("skipped", "invalid-address"),
        ("skipped", "unsubscribed"),
    ]
