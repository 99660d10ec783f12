"""Accounts that stand where a model decides: the code the activity runs, and a scripted model behind the real Asker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from caravan.ai.asking import Asker
from caravan.ai.deciding import choose
from caravan.ai_settings import AISettings
from caravan.campaigns import deciding
from caravan.campaigns.served import Served
from tests.scripted_model import ScriptedModel
from tests.world import World

JOURNEY = """
journey: trip
audience: everyone
schedule: {end: 30 days}
start: hello
nodes:
  hello: {do: [{account_interesting_moment: {type: web, text: hello}}], next: triage}
  triage:
    decide: accounts
    paths:
      - {label: Hot, prompt: Several people ask for a meeting., next: hot}
      - {label: Warm, prompt: Somebody reads what we write., next: warm}
    confidence: 0.6
    otherwise: other
  hot: {do: [{update_account: {field: source_type, value: hot}}], next: rest}
  warm: {wait: 2 days, next: rest}
  other: {wait: 3 days, next: rest}
  rest: {wait: 1 day, end: over}
"""
ACCOUNTS = "account_id,name,industry,employees,country\nacme,Acme Power,Energy,1200,SE\n"
PEOPLE = (
    "person_id,email,first_name,last_name,job_title,account_id,roles\n"
    "ann,ann@acme.example,Annika,Bergström,Chief Technology Officer,acme,champion\n"
    "bo,bo@acme.example,Bo,Ek,Engineer,acme,\n"
)
SETTINGS = AISettings(model="test:scripted")


def says(
    path: str = "Hot", confidence: float = 0.9, reason: str = "person 1 is keen"
) -> Mapping[str, Any]:
    """What a model answers."""
    return {"path": path, "confidence": confidence, "reason": reason}


@dataclass
class Deciding:
    """A world with one account on its way to a ``decide``."""

    world: World
    model: ScriptedModel = field(default_factory=lambda: ScriptedModel(says()))
    settings: AISettings = SETTINGS
    traversal: int = 0

    async def begin(
        self, journey: str = JOURNEY, accounts: str = ACCOUNTS, people: str = PEOPLE, **files: str
    ) -> None:
        workspace = self.world.workspace(journey)
        await self.world.load(workspace, accounts=accounts, people=people, **files)
        [self.traversal] = await self.world.enter(await self.world.publish(workspace, "trip"))
        await self.world.walk(self.traversal)

    @property
    def asker(self) -> Asker:
        model = None if self.settings.model is None else self.model.model
        return Asker(self.settings, self.world.engage, model=model)

    async def decide(self, **options: Any) -> Served:
        """One try of the activity."""
        world = self.world
        step_no = (await world.state(self.traversal)).step_no
        given = {
            "choose": partial(choose, self.asker),
            "step_no": step_no,
            "asked_at": world.now,
            "now": lambda: world.now,
            "go_on": True,
        } | options
        return await deciding.decide(
            world.engage, world.plans, traversal_id=self.traversal, **given
        )

    async def position(self) -> str | None:
        return (await self.world.state(self.traversal)).position

    async def row(self) -> Any:
        """The decision, of which there is one."""
        [row] = await self.world.engage.fetch("select * from decisions")
        return row

    async def step(self) -> Any:
        """The step of the decision."""
        [row] = await self.world.engage.fetch("select * from steps where kind = 'decide'")
        return row
