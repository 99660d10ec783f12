"""Walking accounts at one instant: stretches and sends, as a workflow asks for them, until they rest.

Accounts take turns in order of id. Those that share nobody with another one cannot tell in which order
they went, so they are walked side by side, on a few connections.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from caravan.campaigns import calling, deciding, stretch
from caravan.campaigns.call_claims import Callbacks
from caravan.campaigns.deciding import Verdict
from caravan.campaigns.mail_together import send_together
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.plans import PlanCache
from caravan.services.silence import Silence
from caravan.simulation import sql
from caravan.simulation.agenda import Traveller
from caravan.simulation.decisions import Decisions
from caravan.simulation.lane import Lane
from caravan.simulation.throw_away import LANES

CLAIMANT = "simulation"
#: how many walk side by side before another connection is quicker than to wait: it has all to plan anew
WORTH_A_LANE = 5
#: answers come as lines, not as callbacks: nobody is told these
NOBODY = Callbacks(munchkin=CLAIMANT, url="https://nobody.invalid", secret=CLAIMANT)


class Walker:
    """Walks accounts on lanes, which it opens when there is work for them."""

    def __init__(
        self,
        pool: Any,
        open_lane: Callable[[], Awaitable[Lane]],
        plans: PlanCache,
        mailing: Mailing,
        decisions: Decisions,
    ) -> None:
        self._pool = pool  # for what is asked side by side, which no lane can serve
        self._open_lane = open_lane
        self._opened: list[Lane] = []
        self.plans = plans
        self.mailing = mailing
        self._decisions = decisions
        self.steps = 0
        self.held = False  # mail, since somebody looked

    async def walk(self, travellers: Sequence[Traveller], at: datetime, *, in_turn: bool) -> None:
        """Walk accounts, which stand in their order, until each rests or has left.

        Args:
            travellers: in order of id.
            at: the instant.
            in_turn: one after another, where what they do depends on who came first.
        """
        if in_turn or len(travellers) == 1:
            [lane] = await self._lanes(1)
            await self._on(lane, iter([list(travellers)]), at)
            return
        parties = await self._parties(travellers)
        lanes = await self._lanes(1 + len(parties) // WORTH_A_LANE)
        left = iter(parties)
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(self._on(lane, left, at))

    async def _lanes(self, wanted: int) -> list[Lane]:
        """So many lanes, as far as there may be."""
        wanted = min(wanted, LANES)
        while len(self._opened) < wanted:
            self._opened.append(await self._open_lane())
        return self._opened[:wanted]

    async def _on(self, lane: Lane, parties: Iterator[list[Traveller]], at: datetime) -> None:
        async with lane.chained():
            for party in parties:
                for traveller in party:
                    await self._one(lane, traveller, at)

    async def _one(self, lane: Lane, traveller: Traveller, at: datetime) -> None:
        """Until it rests beyond this instant, or nothing more is to be done."""
        took, entering = 1, True
        while (took or entering) and traveller.state.ended is None:
            # a journey may begin with what is not the stores' business: a call
            entering = traveller.state.position is None
            command = traveller.command()
            mail_first = entering and traveller.mail_first
            if mail_first or (command is not None and command.kind == "send"):
                sent = await send_together(
                    lane,
                    self.plans,
                    self.mailing,
                    traversal_id=traveller.traversal_id,
                    step_no=traveller.state.step_no,
                    claimant=CLAIMANT,
                    at=at,
                )
                took = traveller.follow(sent.outcomes, sent.ended)
                self.held |= any("held" in outcome.counts for outcome in sent.outcomes)
            elif command is not None and command.kind == "call" and traveller.until is None:
                asked = await calling.ask(
                    self._pool,
                    self.plans,
                    Silence(),
                    NOBODY,
                    traversal_id=traveller.traversal_id,
                    step_no=traveller.state.step_no,
                    now=lambda: at,
                    go_on=True,
                )
                took = traveller.follow(asked.outcomes, asked.ended)
            elif command is not None and command.kind == "decide":
                took = await self._decide(lane, traveller, command.node, at)
            else:
                ran = await stretch.run(
                    lane, self.plans, traveller.traversal_id, traveller.state.step_no, at
                )
                took = traveller.follow(ran.outcomes, ran.ended)
            self.steps += took
            if traveller.until is not None:
                return

    async def _decide(self, lane: Lane, traveller: Traveller, node: str, at: datetime) -> int:
        """What a line decides; it stands at the node until the line comes."""
        decision = traveller.awaits or self._decisions.take(traveller.account, node, at)
        traveller.awaits = decision if decision is not None and decision.at > at else None
        if traveller.awaits is not None:
            return 0
        decided = await deciding.conclude(
            lane,
            self.plans,
            Verdict(decision.path) if decision is not None else Verdict(cause="unanswered"),
            traversal_id=traveller.traversal_id,
            step_no=traveller.state.step_no,
            at=at,
            go_on=True,
        )
        return traveller.follow(decided.outcomes, decided.ended)

    async def _parties(self, travellers: Sequence[Traveller]) -> list[list[Traveller]]:
        """Accounts that share somebody, directly or by way of others, keep together and in order."""
        accounts = {traveller.account_id for traveller in travellers}
        [lane] = await self._lanes(1)
        rows = await sql.fetch(lane, "who_share", account_ids=sorted(accounts))
        leader = {account: account for account in accounts}

        def find(account: int) -> int:
            while leader[account] != account:
                leader[account] = leader[leader[account]]
                account = leader[account]
            return account

        for row in rows:
            first, *others = row["account_ids"]
            for other in others:
                leader[find(other)] = find(first)
        parties: dict[int, list[Traveller]] = {}
        for traveller in travellers:
            parties.setdefault(find(traveller.account_id), []).append(traveller)
        return list(parties.values())
