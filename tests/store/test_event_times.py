"""When an event counts: by the time it says and the listener's window, in whatever order events arrive."""

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caravan.platform.event_lines import EventRow
from caravan.platform.events import record_events
from tests.world import World

DAY = 86_400
#: seconds that a node looks back, by the city of the account that goes there
LOOK_BACK = {"none": 0, "short": 600, "long": DAY}
KINDS = ("form_filled", "page_visited")

JOURNEY = """
journey: times
audience: everyone
schedule: {end: 30 days}
start: fork
nodes:
  fork:
    split: accounts
    paths:
      - {label: none, when: {account: {city: none}}, next: hear_none}
      - {label: short, when: {account: {city: short}}, next: hear_short}
    otherwise: hear_long
  hear_none: {listen: [{form_filled: {next: form}}, {page_visited: {next: page}}], timeout: {after: 1 day, end: silence}}
  hear_short: {listen: [{form_filled: {next: form}}, {page_visited: {next: page}}], look_back: 10 minutes, timeout: {after: 1 day, end: silence}}
  hear_long: {listen: [{form_filled: {next: form}}, {page_visited: {next: page}}], look_back: 1 day, timeout: {after: 1 day, end: silence}}
  form: {do: [], end: form_filled}
  page: {do: [], end: page_visited}
"""


@dataclass(frozen=True)
class Said:
    """An event: seconds from the account's arrival, and with which batch it comes in (0: before it arrives)."""

    kind: str
    seconds: int
    batch: int


@dataclass(frozen=True)
class Case:
    city: str
    events: tuple[Said, ...]

    def label(self) -> str:
        """What the language says: of what has come in so far, the earliest that lies in the window."""
        for batch in range(3):
            here = [
                (one.seconds, one.batch, place)
                for place, one in enumerate(self.events)
                if one.batch <= batch and -LOOK_BACK[self.city] <= one.seconds <= DAY
            ]
            if here:
                return self.events[min(here)[2]].kind
        return "silence"


def said(batch: int) -> st.SearchStrategy[Said]:
    latest = 300 if batch == 0 else DAY + 600  # none is further ahead than may be
    edges = [-DAY - 1, -DAY, -601, -600, -1, 0, 1, 300, DAY - 1, DAY, DAY + 1]
    seconds = st.sampled_from([one for one in edges if one <= latest])
    return st.builds(
        Said,
        st.sampled_from(KINDS),
        seconds | st.integers(-3 * DAY, latest),
        st.just(batch),
    )


cases = st.builds(
    Case,
    st.sampled_from(sorted(LOOK_BACK)),
    st.lists(st.integers(0, 2).flatmap(said), min_size=1, max_size=3).map(tuple),
)


@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(cases, min_size=10, max_size=16))
async def test_event_wakes_by_its_time_and_the_window_alone(
    world: World, examples: list[Case]
) -> None:
    workspace = world.workspace(JOURNEY)
    taken = await world.platform.fetchval("select count(*) from accounts")
    names = [f"a{taken + n}" for n in range(len(examples))]
    await world.load(
        workspace,
        accounts="account_id,name,city\n"
        + "".join(
            f"{name},{name},{case.city}\n" for name, case in zip(names, examples, strict=True)
        ),
        people="person_id,email,account_id\n"
        + "".join(f"p-{name},{name}@a.example,{name}\n" for name in names),
    )
    journey = await world.engage.fetchval("select id from journeys")
    await world.follow()
    await world.enter(journey or await world.publish(workspace, "times"))
    rows = await world.engage.fetch(
        "select t.id, a.external_id from traversals t join accounts a on a.id = t.account_id"
        " where a.external_id = any($1::text[])",
        names,
    )
    traversals = {row["external_id"]: row["id"] for row in rows}
    assert traversals.keys() == set(names)
    arrival = world.now
    for batch in range(3):
        events = [
            EventRow(
                f"{name}-{place}",
                one.kind,
                arrival + timedelta(seconds=one.seconds),
                None,
                f"p-{name}",
                {},
                place,
            )
            for name, case in zip(names, examples, strict=True)
            for place, one in enumerate(case.events)
            if one.batch == batch
        ]
        recorded = await record_events(world.platform, events, world.now)
        assert len(recorded.new) == len(events)
        await world.follow()
        if batch == 0:
            for name in names:
                await world.walk(traversals[name])
            world.pass_time(hours=25)
    for name, case in zip(names, examples, strict=True):
        state = await world.walk(traversals[name])
        assert state.ended is not None
        assert state.ended.label == case.label(), (name, case)
