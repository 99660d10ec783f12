"""An account that calls a service: the code the activity runs, a real service, the real gateway."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from caravan.campaigns import calling
from caravan.campaigns.call_claims import Callbacks
from caravan.campaigns.served import Served
from caravan.journeys.state import State
from caravan.services.callback import CALLBACK_PATH
from caravan.services.client import ServiceClient
from tests.service import Listening, OutsideService, call_back
from tests.world import World

ACCOUNTS = "account_id,name,industry\nacme,Acme,Energy\n"
PEOPLE = (
    "person_id,email,first_name,job_title,account_id,roles\n"
    "ann,ann@acme.example,Ann,Chief,acme,champion\n"
    "bo,bo@acme.example,Bo,Clerk,acme,\n"
    "cy,cy@acme.example,Cy,Clerk,acme,\n"
)

ENRICH = """
service: enrich
url: {url}
auth: {{api_key_env: ENRICH_KEY}}
attributes: {{apiKey: {{env: ENRICH_KEY}}, dataProvider: registry}}
fields:
  out: {{accountId: account.account_id, accountName: account.name, industry: account.industry}}
  in: {{employeeCount: account.employees, annualRevenue: account.annual_revenue}}
---
journey: trip
audience: everyone
schedule: {{end: 30 days}}
start: ask
nodes:
  ask:
    call: enrich
    of: account
    with: {{enrichmentType: "of {{{{ account.name }}}}", priority: high}}
    timeout: 30 minutes
    paths:
      - {{label: Enterprise, when: {{accountTier: enterprise, enrichmentScore: {{at_least: 80}}}}, next: big}}
      - {{when: {{technographyMatch: true}}, next: fits}}
    failed: lost
    next: other
  big: {{wait: 1 day}}
  fits: {{wait: 1 day}}
  other: {{wait: 1 day}}
  lost: {{wait: 1 day}}
"""

SECRETS = {"ENRICH_KEY": "k-1", "USER": "us", "WORD": "hush", "ID": "us", "HUSH": "hush"}


@dataclass
class Caller:
    """A world whose accounts call a service, and the gateway it answers to."""

    world: World
    service: OutsideService
    gateway: Listening
    client: ServiceClient
    traversal: int = 0

    @property
    def callbacks(self) -> Callbacks:
        return Callbacks(self.world.munchkin, f"{self.gateway.url}{CALLBACK_PATH}", "s" * 40)

    async def begin(
        self, documents: str, mails: tuple[str, ...] = (), people: str = PEOPLE
    ) -> None:
        workspace = self.world.workspace(
            documents.format(url=self.service.url, **accessors(self)), mails
        )
        await self.world.load(workspace, accounts=ACCOUNTS, people=people)
        journey = await self.world.publish(workspace, "trip")
        [self.traversal] = await self.world.enter(journey)
        await self.world.walk(self.traversal)

    async def ask(self, **options: Any) -> Served:
        options = {"callbacks": self.callbacks, "go_on": True} | options
        world = self.world
        state = await world.state(self.traversal)
        return await calling.ask(
            world.engage,
            world.plans,
            self.client,
            traversal_id=self.traversal,
            step_no=state.step_no,
            now=lambda: world.now,
            **options,
        )

    async def state(self) -> State:
        return await self.world.state(self.traversal)

    async def position(self) -> str | None:
        return (await self.world.walk(self.traversal)).position

    async def answer(self, body: Any, request: int = 0, **how: Any) -> Any:
        asked = self.service.requests[request]
        return await call_back(asked["callbackUrl"], asked["token"], body, **how)

    async def calls(self) -> list[Any]:
        return list(await self.world.engage.fetch("select * from calls order by person_id"))

    async def id_of(self, table: str, outside_id: str) -> int:
        found = await self.world.engage.fetchval(
            f"select id from {table} where external_id = $1", outside_id
        )
        return int(found)


def accessors(caller: Caller) -> dict[str, str]:
    known = caller.service.definition["invocationPayloadDef"]["accessorsMetadata"]
    return {"accessor": known[0]["accessorName"] if known else "none"}


def of_account(account_id: int, success: bool = True, **said: Any) -> dict[str, Any]:
    return {
        "objectData": [
            {"activityData": {"success": success}, "accountData": {"id": account_id, **said}}
        ]
    }


def says(status: int, body: Any = None) -> Callable[[], Response]:
    return lambda: JSONResponse(body, status_code=status)
