"""Asking a service for the account at a node: claimed, asked, noted, and then waited for.

Each request is a row, claimed before the service is called. What breaks before the service has said
that it accepts is asked again, with the same token and request id: the contract has no way to ask once
for sure, so a service may see a request twice, and its answer counts once. Until its time is up a
service that is away delays the account; then the call has failed.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from caravan.campaigns import answers
from caravan.campaigns.asking_outside import recorded
from caravan.campaigns.call_claims import Callbacks, CallStep, Request, claim
from caravan.campaigns.last_word import last_word
from caravan.campaigns.plans import PlanCache
from caravan.campaigns.progress import Progress, lock
from caravan.campaigns.served import Served
from caravan.campaigns.stretch import serve_on
from caravan.engage import sql
from caravan.journeys.nodes import call
from caravan.journeys.state import Outcome
from caravan.services.client import Exchange
from caravan.services.definition import Definition, misfits
from caravan.services.errors import OperatorsTurn, Refused, ServiceError, TryLater, Unreachable
from caravan.services.request import Question

Now = Callable[[], datetime]

#: requests of one account that are under way at once
AT_ONCE = 8


async def ask(
    pool: Any,
    plans: PlanCache,
    exchange: Exchange,
    callbacks: Callbacks,
    *,
    traversal_id: int,
    step_no: int,
    now: Now,
    stopping: Callable[[], bool] = lambda: False,
    go_on: bool = False,
) -> Served:
    """Make the requests of the call a traversal stands at.

    Args:
        pool: the engage store.
        exchange: who asks.
        callbacks: where answers are to go.
        step_no: the step this call will be; stored already, it is returned.
        now: domain time.
        stopping: true once this process is to end: nothing more is asked then.
        go_on: serve the store-only commands that follow too.

    Raises:
        TryLater: not everything was asked; try again later.
    """
    step = await claim(pool, plans, callbacks, traversal_id, step_no, now())
    if isinstance(step, Served):
        return step
    definition, trouble = None, None
    if step.requests:
        definition, trouble = await _definition(exchange, step)
        if callbacks.missing is not None:
            trouble = OperatorsTurn(f"{callbacks.missing} is not set: services could not answer")
    until = _until(step, definition)
    if step.requests and now() < until:
        trouble = trouble or await _ask_all(
            pool, exchange, callbacks, step, definition, until, now, stopping
        )
        await _note_trouble(pool, step, trouble)
    return await _conclude(pool, plans, step, until, now(), trouble, go_on=go_on)


async def _definition(
    exchange: Exchange, step: CallStep
) -> tuple[Definition | None, ServiceError | None]:
    """What the service says of itself, and why this call cannot be made of it."""
    try:
        definition = await exchange.definition(step.service)
    except ServiceError as error:
        return None, error
    if definition is None:
        return None, None
    found = misfits(definition, step.service, step.node, step.locked.loaded.plan.catalog)
    if found:
        return definition, Refused(
            f"The service {step.service.service} does not fit: {'; '.join(found)}"
        )
    return definition, None


def _until(step: CallStep, definition: Definition | None) -> datetime:
    """When the time is up, counted from the first claim; the service's own where the node names none."""
    if step.node.timeout is not None:
        span = timedelta(seconds=call.seconds(step.node.timeout))
    else:
        span = timedelta(minutes=definition.timeout if definition else call.USUAL_MINUTES)
    return min(step.asked_at + span, step.locked.traversal.deadline)


async def _ask_all(
    pool: Any,
    exchange: Exchange,
    callbacks: Callbacks,
    step: CallStep,
    definition: Definition | None,
    until: datetime,
    now: Now,
    stopping: Callable[[], bool],
) -> ServiceError | None:
    """Make the requests, a few at a time; what keeps one back does not keep back the others."""
    if step.unfit is not None:
        return Refused(step.unfit)
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(request: Request) -> TryLater | None:
        async with turn:
            if stopping() or now() >= until:
                return Unreachable("there was no time left to ask")
            minutes = max(1, math.ceil((until - now()).total_seconds() / 60))
            question = _question(step, request, callbacks, minutes)
            return await _ask_one(pool, exchange, step, definition, request, question, now)

    troubles = await asyncio.gather(*(one(request) for request in step.requests))
    return next((trouble for trouble in troubles if trouble is not None), None)


def _question(step: CallStep, request: Request, callbacks: Callbacks, minutes: int) -> Question:
    people = step.people
    if step.node.of == "people":
        people = tuple(person for person in people if person.id == request.person_id)
    return Question(
        node=step.node,
        journey=step.journey,
        account=step.account,
        people=people,
        values=step.values,
        minutes=minutes,
        token=request.token,
        callback_url=callbacks.url,
    )


async def _ask_one(
    pool: Any,
    exchange: Exchange,
    step: CallStep,
    definition: Definition | None,
    request: Request,
    question: Question,
    now: Now,
) -> TryLater | None:
    traversal = step.locked.traversal

    async def may_leave() -> int | None:
        word: int | None = await sql.fetchval(
            pool, "begin_try", traversal_id=traversal.id, epoch=traversal.epoch, id=request.call_id
        )
        return word

    if await last_word(may_leave) is None:
        return None  # closed, stopped, or taken by another try: ours is not to ask
    try:
        await exchange.submit(step.service, definition, question, request.id)
    except TryLater as error:
        await sql.execute(pool, "call_waits", ids=[request.call_id], reply=str(error))
        return error
    except Refused as error:
        await sql.execute(pool, "call_refused", ids=[request.call_id], reply=str(error))
        return None
    await sql.execute(pool, "call_submitted", id=request.call_id, at=now())
    return None


async def _note_trouble(pool: Any, step: CallStep, trouble: ServiceError | None) -> None:
    """What is wrong with all requests alike: final where the service refuses, else kept for who asks."""
    if isinstance(trouble, Refused):
        await sql.execute(pool, "call_refused", ids=_ids(step.requests), reply=str(trouble))
    elif trouble is not None:
        await sql.execute(pool, "call_waits", ids=_ids(step.requests), reply=str(trouble))


def _ids(requests: Sequence[Request]) -> list[int]:
    return [request.call_id for request in requests]


async def _conclude(
    pool: Any,
    plans: PlanCache,
    step: CallStep,
    until: datetime,
    at: datetime,
    trouble: ServiceError | None,
    *,
    go_on: bool,
) -> Served:
    """Record that the account waits for the answer, or the answer that is there already.

    With ``go_on`` the store-only commands that follow are served in it too, as in a stretch.
    """
    async with pool.acquire() as conn, conn.transaction():
        locked = await lock(conn, plans, step.locked.traversal.id, at)
        stored = await recorded(conn, locked, step.locked.state.step_no)
        if stored is not None:
            return stored
        progress = Progress(locked)
        visit = progress.visit(conn, plans, step.command, at)
        settled = await answers.settle(visit, step.node, until)
        if settled is None and await sql.fetchval(conn, "unasked_calls", **step.key):
            if await progress.hold_what_leaves(conn):
                await progress.save(conn, at)
                return Served([], None, held_until=progress.held_until)
            raise trouble or Unreachable("not everything has been asked: the step is tried again")
        outcome = Outcome(
            step_no=locked.state.step_no,
            command=step.command,
            edge=settled.edge if settled else None,
            until=None if settled else until,
            at=at,
        )
        progress.follow(outcome, settled.because if settled else None)
        people = settled.people if settled is not None else 0
        go_on = go_on and settled is not None
        return await serve_on(
            conn, plans, progress, at, taken=[outcome], go_on=go_on, people=people
        )
