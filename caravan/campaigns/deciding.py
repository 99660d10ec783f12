"""Having a model decide which path an account takes: claimed, asked, noted, and then recorded.

Each decision is a row, claimed with the facts that the model is told, so whoever asks again – a worker died – asks the
same question. An answer is noted as it comes and never asked for again; the path it leads to is settled in the
transaction of the step. Whatever keeps the model from answering, or its question from being put together, leads to
``otherwise``: nothing waits for it longer than ``WITHIN``.

Who is erased before the model answers is told of no more: the facts are claimed anew, without them. An answer names the
claim it is to, for in another claim person 1 is somebody else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from caravan.ai.path_choice import LONGEST_REASON, Choice, Chooser, PathQuestion
from caravan.ai.unanswered import BudgetSpent, ModelFailed, NoModel, SwitchedOff, Unanswered
from caravan.campaigns import decision_facts
from caravan.campaigns.asking_outside import Open, opened
from caravan.campaigns.decision_facts import Facts
from caravan.campaigns.last_word import last_word
from caravan.campaigns.plans import PlanCache
from caravan.campaigns.progress import Progress
from caravan.campaigns.served import Served
from caravan.campaigns.stretch import serve_on
from caravan.campaigns.visit import Visit
from caravan.engage import sql
from caravan.journeys.nodes.decide import Decide
from caravan.journeys.nodes.paths import OTHERWISE, names
from caravan.journeys.state import Outcome

Now = Callable[[], datetime]

#: how long an account stands at the node for a model that is away or busy
WITHIN = timedelta(hours=1)
#: how often one decision is asked for; a model that failed so often is not asked again for this one
MOST_TRIES = 3
#: why nobody was asked, where facts are not what they should be: of another type than their field, say
UNTOLD = "what is known of the account could not be put to a model"

#: why there is no answer, as it is kept
CAUSES: dict[type[Unanswered], str] = {
    NoModel: "no-model",
    SwitchedOff: "switched-off",
    BudgetSpent: "budget-spent",
    ModelFailed: "failed",
}


class NotDecidedYet(Exception):
    """The model has not answered; it is asked again. The message is ours and holds no data."""


@dataclass(frozen=True)
class Verdict:
    """What was said of a decision: a path by its name, or the cause why none is to be taken.

    Without a confidence it was not a model that said it, and it counts.
    """

    path: str | None = None
    confidence: float | None = None
    cause: str | None = None
    reason: str | None = None  # where it is not in the row yet

    def __post_init__(self) -> None:
        if (self.path is None) == (self.cause is None):
            raise ValueError("a decision is a path, or the cause why none is to be taken")


@dataclass(frozen=True)
class _Claimed:
    open: Open
    id: int
    claim: int  # which facts it is asked with: one more each time they are claimed anew
    asked: PathQuestion
    tries: int


def decide_node(open: Open) -> Decide:
    """The node an account stands at."""
    node = open.locked.loaded.plan.nodes[open.command.node]
    assert isinstance(node, Decide)
    return node


async def decide(
    pool: Any,
    plans: PlanCache,
    choose: Chooser,
    *,
    traversal_id: int,
    step_no: int,
    asked_at: datetime,
    now: Now,
    stopping: Callable[[], bool] = lambda: False,
    go_on: bool = False,
) -> Served:
    """Decide for a traversal that stands at a ``decide``.

    Args:
        pool: the engage store.
        plans: the plans this process holds.
        choose: who asks the model.
        traversal_id: whose row to lock.
        step_no: the step this decision will be; stored already, it is returned.
        asked_at: since when it is to be decided; how long it was held before does not count.
        now: domain time.
        stopping: true once this process is to end: nothing more is asked then.
        go_on: serve the store-only commands that follow too.

    Raises:
        NotDecidedYet: try again later.
    """
    until = asked_at + WITHIN
    claimed: _Claimed | Verdict | Served
    try:
        claimed = await _claim(pool, plans, traversal_id, step_no, now())
    except Exception as error:
        if now() < until:
            raise  # a fault to mend while the account waits, though not for ever
        claimed = Verdict(cause="failed", reason=f"{UNTOLD} ({type(error).__name__})")
    if isinstance(claimed, Served):
        return claimed
    if isinstance(claimed, Verdict):
        said: Verdict | None = claimed
    else:
        said = await _ask(pool, claimed, choose, until, now, stopping)
    return await conclude(
        pool, plans, said, traversal_id=traversal_id, step_no=step_no, at=now(), go_on=go_on
    )


async def _claim(
    pool: Any, plans: PlanCache, traversal_id: int, step_no: int, at: datetime
) -> _Claimed | Verdict | Served:
    """What to ask; or what is said already, to a try before or by the facts themselves; or what is recorded."""
    async with pool.acquire() as conn, conn.transaction():
        open = await opened(conn, plans, "decide", traversal_id, step_no, at)
        if isinstance(open, Served):
            return open
        node = decide_node(open)
        visit = Progress(open.locked).visit(conn, plans, open.command, at)
        row = await sql.fetchrow(conn, "decision_at", **_key(visit))
        if row is not None and row["model"] is not None:
            return Verdict(row["path"], row["confidence"])
        if row is None or row["facts"] is None:
            gathered = await decision_facts.gather(visit)
            facts = gathered.facts
            row = await sql.fetchrow(
                conn,
                "claim_decision",
                **_key(visit),
                at=at,
                facts=facts.model_dump(mode="json"),
                people=list(gathered.people),
            )
        else:
            facts = Facts.model_validate(row["facts"])
    if not facts.say_something:
        return Verdict(cause="missing-data", reason="nothing is known of the account to decide by")
    prompts = zip(names(node.paths), (path.prompt for path in node.paths), strict=True)
    question = PathQuestion(dict(prompts), facts)
    return _Claimed(open, row["id"], row["claim"], question, row["tries"])


def _key(visit: Visit) -> dict[str, Any]:
    return {"traversal_id": visit.traversal.id, "node": visit.node, "visit": visit.number}


async def _ask(
    pool: Any,
    claimed: _Claimed,
    choose: Chooser,
    until: datetime,
    now: Now,
    stopping: Callable[[], bool],
) -> Verdict | None:
    """What the model says, or why it does not; None where it may not be asked just now."""
    traversal = claimed.open.locked.traversal
    if now() >= min(until, traversal.deadline):
        return Verdict(cause="timeout", reason="the model did not answer in time")
    if claimed.tries >= MOST_TRIES:
        return Verdict(cause="failed", reason=f"the model did not answer in {MOST_TRIES} tries")
    if stopping():
        raise NotDecidedYet("the worker stops")

    async def may_leave() -> int | None:
        word: int | None = await sql.fetchval(
            pool,
            "begin_decision_try",
            traversal_id=traversal.id,
            epoch=traversal.epoch,
            id=claimed.id,
            claim=claimed.claim,
            **{"try": claimed.tries + 1},
        )
        return word

    if await last_word(may_leave) is None:
        # closed, held, answered to another try, or about somebody erased since: ours is not to ask
        return None
    try:
        choice = await choose(claimed.asked, now())
    except Unanswered as error:
        return await _lost(pool, claimed, error)
    return await _note(pool, claimed, choice)


async def _lost(pool: Any, claimed: _Claimed, error: Unanswered) -> Verdict:
    """Why there is no answer; what may pass is asked again, a few times."""
    reason = str(error)[:LONGEST_REASON]
    passing = isinstance(error, ModelFailed) and error.is_passing
    if passing and claimed.tries + 1 < MOST_TRIES:
        await sql.execute(pool, "decision_waits", id=claimed.id, reason=reason)
        raise NotDecidedYet(reason)
    cause = next(cause for kind, cause in CAUSES.items() if isinstance(error, kind))
    return Verdict(cause=cause, reason=reason)


async def _note(pool: Any, claimed: _Claimed, choice: Choice) -> Verdict | None:
    """What the model said; None where another answer came first, or this one is to facts that are told no more."""
    noted = await sql.fetchval(
        pool,
        "note_decision",
        id=claimed.id,
        claim=claimed.claim,
        digest=choice.digest,
        model=choice.model,
        path=choice.path,
        confidence=choice.confidence,
        reason=choice.reason,
    )
    return Verdict(choice.path, choice.confidence) if noted is not None else None


async def conclude(
    pool: Any,
    plans: PlanCache,
    said: Verdict | None,
    *,
    traversal_id: int,
    step_no: int,
    at: datetime,
    go_on: bool = False,
) -> Served:
    """Record the path that the account takes, and why.

    Args:
        said: None: nobody could be asked just now, or what was said does not count. What the row has of a model
            counts in its stead.

    Raises:
        NotDecidedYet: there is nothing to record, nor anything that forbids to ask.
    """
    async with pool.acquire() as conn, conn.transaction():
        open = await opened(conn, plans, "decide", traversal_id, step_no, at, begins=said is None)
        if isinstance(open, Served):
            return open
        progress = Progress(open.locked)
        visit = progress.visit(conn, plans, open.command, at)
        row = await sql.fetchrow(conn, "decision_at", **_key(visit))
        if row is not None and row["model"] is not None:
            said = Verdict(row["path"], row["confidence"])
        if said is None:
            raise NotDecidedYet(
                "no model has given an answer that counts yet: the step is tried again"
            )
        edge, cause = _edge(decide_node(open), said)
        await sql.execute(
            conn,
            "settle_decision",
            **_key(visit),
            path=said.path,
            reason=said.reason,
            cause=cause,
            edge=edge,
            at=at,
        )
        outcome = Outcome(step_no=open.locked.state.step_no, command=open.command, edge=edge, at=at)
        progress.follow(outcome, _because(said, cause))
        return await serve_on(conn, plans, progress, at, taken=[outcome], go_on=go_on)


def _edge(node: Decide, said: Verdict) -> tuple[str, str | None]:
    """The edge to leave by, and why it is not that of a path."""
    if said.path is None:
        return OTHERWISE, said.cause
    if said.confidence is not None and said.confidence < node.confidence:
        return OTHERWISE, "low-confidence"
    if said.path == OTHERWISE:
        return OTHERWISE, None
    return str(names(node.paths).index(said.path) + 1), None


def _because(said: Verdict, cause: str | None) -> dict[str, Any]:
    """For the step; what the model said is in the row of the decision, where an erasure finds it."""
    because = {"confidence": said.confidence, "cause": cause}
    return {key: value for key, value in because.items() if value is not None}
