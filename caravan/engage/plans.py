"""Stored plans, by their hash."""

from typing import Any

from caravan.engage import sql
from caravan.journeys.exits import reach_of
from caravan.journeys.plan import Plan, begins_with_mail


async def store_plan(conn: Any, plan: Plan) -> None:
    """Store a plan, which may be there already, with what is asked of plans without reading them."""
    await sql.execute(
        conn,
        "store_plan",
        hash=plan.hash,
        body=plan.model_dump(mode="json"),
        mail_first=begins_with_mail(plan),
        exits_reach=reach_of(plan.exits),
    )


async def load_plan_body(conn: Any, plan_hash: str) -> dict[str, Any]:
    """The stored plan, as JSON."""
    body = await sql.fetchval(conn, "plan_body", hash=plan_hash)
    if body is None:
        raise LookupError(f"no plan {plan_hash}")
    return dict(body)


async def load_plan(conn: Any, plan_hash: str) -> Plan:
    """The stored plan."""
    return Plan.model_validate(await load_plan_body(conn, plan_hash))
