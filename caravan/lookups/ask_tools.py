"""What a model may look at for ``caravan ask``: each look is one read-only transaction, bounded in calls and rows.

A look goes nowhere that the question does not lead to: ``find`` takes words that stand in the question, and everything else
takes ids that a look has told as ids. So a text among the data, whatever it asks for, opens nothing.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from caravan.ai.question import MOST_LOOKS
from caravan.buying_groups.listing import Filters, groups
from caravan.campaigns.stream_progress import standings
from caravan.database.one_connection import OneConnection
from caravan.database.pool import Pool
from caravan.database.read_only import read_only
from caravan.engage import sql
from caravan.engage.plans import load_plan
from caravan.lookups import account_facts, group_facts
from caravan.lookups.account_facts import speak_of
from caravan.reports import journey as report
from caravan.reports.facts import Fact, as_data, fitting, one_each
from caravan.reports.phrases import Phrase, phrase
from caravan.reports.pseudonyms import Pseudonyms
from caravan.reports.readable import readable
from caravan.reports.wording import counted

#: facts of one look
MOST_FACTS = 60
#: characters of one look: what a model reads is paid for
MOST_CHARACTERS = 16_000
#: whatever is called so is found, of each kind
MOST_FOUND = 5
#: characters of what is to be found
SHORTEST, LONGEST = 2, 100

Told = dict[str, Any]
NOT_FOUND: Told = {
    "refused": "no such id was told: look for it with find, and give it as it was told"
}


@dataclass
class Looking:
    """The looks of one question."""

    engage: Pool
    platform: Pool
    munchkin: str
    question: str
    at: datetime
    pseudonyms: Pseudonyms = field(default_factory=Pseudonyms)
    seen: dict[str, Fact] = field(default_factory=dict)
    looks: list[str] = field(default_factory=list)
    """What has been looked at, in order."""
    _ids: set[str] = field(default_factory=set)

    @property
    def tools(self) -> Sequence[Callable[..., Awaitable[Any]]]:
        return (
            self.find,
            self.account,
            self.way,
            self.messages,
            self.activities,
            self.buying_groups,
            self.journeys,
            self.journey,
            self.accounts_in,
            self.sync,
        )

    async def find(self, words: str) -> Told:
        """Find accounts, people and journeys by an id, a name or a part of one.

        Args:
            words: words of the question, as they stand there.
        """
        wanted = " ".join(words.split())
        if not SHORTEST <= len(wanted) <= LONGEST or not self._asks_about(wanted):
            return {"refused": "find takes words that stand in the question"}
        async with self._look("find") as conn:
            if conn is None:
                return TOO_MANY
            found = [*await self._accounts(conn, wanted), *await self._people(conn, wanted)]
            rows = await sql.fetch(conn, "journeys", slug=None)
            found += [
                self._journey(row)
                for row in rows
                if wanted.casefold() in (row["slug"].casefold(), row["name"].casefold())
                or (len(wanted) > SHORTEST and wanted.casefold() in row["name"].casefold())
            ]
            return self._told(found)

    async def account(self, account: str) -> Told:
        """Where an account stands: the journeys it is or was in, how it left them, its buying groups.

        Args:
            account: as it was told: account 5.
        """
        return await self._of_account("account", account, self._standing)

    async def way(self, account: str, journey: str) -> Told:
        """The latest steps of an account in a journey: each with what it came to, the reason, and what was done.

        Args:
            account: as it was told: account 5.
            journey: a journey's slug, as it was told.
        """
        if f"journey {journey}" not in self._ids:
            return NOT_FOUND
        return await self._of_account(
            "way",
            account,
            lambda conn, row: account_facts.ways(conn, row["id"], self.pseudonyms, journey),
        )

    async def messages(self, account: str) -> Told:
        """The latest messages to an account's people, with why one was not sent, newest first.

        Args:
            account: as it was told: account 5.
        """
        return await self._of_account(
            "messages",
            account,
            lambda conn, row: account_facts.messages(conn, row["id"], self.pseudonyms),
        )

    async def activities(self, account: str) -> Told:
        """What an account and its people did in the last 30 days, newest first.

        Args:
            account: as it was told: account 5.
        """
        return await self._of_account(
            "activities",
            account,
            lambda conn, row: account_facts.activities(conn, row["id"], self.pseudonyms, self.at),
        )

    async def buying_groups(self, account: str) -> Told:
        """The buying groups of an account: stage, roles, members, changes.

        Args:
            account: as it was told: account 5.
        """
        return await self._of_account("buying_groups", account, self._groups)

    async def journeys(self) -> Told:
        """All journeys with their versions, state and numbers."""
        async with self._look("journeys") as conn:
            if conn is None:
                return TOO_MANY
            rows = await sql.fetch(conn, "journeys", slug=None)
            return self._told([self._journey(row) for row in rows])

    async def journey(self, journey: str) -> Told:
        """What came of a journey, all versions together: entries, how they ended, e-mails; and the nodes accounts stand at.

        Args:
            journey: a journey's slug, as it was told.
        """
        if f"journey {journey}" not in self._ids:
            return NOT_FOUND
        async with self._look("journey") as conn:
            if conn is None:
                return TOO_MANY
            versions = await sql.fetch(conn, "journeys", slug=journey)
            facts = [self._journey(row) for row in versions]
            ids = [row["id"] for row in versions]
            plan = await load_plan(conn, versions[-1]["plan_hash"])
            facts.append(_outcomes(journey, await report.journey(conn, journey, ids, plan)))
            for row in await sql.fetch(conn, "position_counts", journey_ids=ids):
                stand = counted(row["inside"], "stands there", "stand there")
                arrivals = counted(row["arrivals"], "arrival", "arrivals")
                text = f"at the node {row['node']} of {journey}: {arrivals}, {stand}"
                facts.append(Fact(f"report:{journey}/{row['node']}", text))
            return self._told(facts)

    async def accounts_in(self, journey: str, node: str = "") -> Told:
        """Accounts that are or were in a journey; with a node those who stand there now.

        Args:
            journey: a journey's slug, as it was told.
            node: a node's name; empty for all.
        """
        if f"journey {journey}" not in self._ids:
            return NOT_FOUND
        async with self._look("accounts_in") as conn:
            if conn is None:
                return TOO_MANY
            rows = await sql.fetch(
                conn, "traversals_at", slug=journey, node=node or None, limit=MOST_FACTS
            )
            facts = []
            for row in rows:
                who = self._known_account(
                    row["account_id"], row["external_id"], {"name": row["name"]}
                )
                facts.append(account_facts.traversal(row, who, self.pseudonyms))
            return self._told(facts)

    async def sync(self) -> Told:
        """What flows between the stores: what waits, how far behind, errors."""
        async with self._look("sync") as conn, read_only(self.platform) as platform:
            if conn is None:
                return TOO_MANY
            facts = [
                Fact(
                    f"stream:{one.stream}",
                    f"the stream {one.stream}: {one.waiting} waiting, {one.lag_seconds:.0f} s behind"
                    + (f", failed {one.errors} times" if one.is_in_trouble else ""),
                )
                for one in await standings(conn, platform, self.munchkin, self.at)
            ]
            return self._told(facts)

    @asynccontextmanager
    async def _look(self, what: str) -> AsyncIterator[OneConnection | None]:
        """A snapshot of the engage store; None where there have been too many."""
        if len(self.looks) >= MOST_LOOKS:
            yield None
            return
        self.looks.append(what)
        async with read_only(self.engage) as conn:
            yield conn

    def _asks_about(self, words: str) -> bool:
        """Whether they stand in the question, as whole words."""
        question = " ".join(self.question.split())
        wanted = rf"(?<!\w){re.escape(words)}(?!\w)"
        return re.search(wanted, question, re.IGNORECASE) is not None

    def _told(self, facts: Sequence[Fact]) -> Told:
        """For the model; a record says what it said when it was first told, whatever has happened since."""
        one_each(facts)
        told = [
            self.seen.setdefault(one.record, one)
            for one in fitting(facts[:MOST_FACTS], MOST_CHARACTERS)
        ]
        return {"records": as_data(told), "left_out": len(facts) - len(told)}

    async def _of_account(
        self, what: str, account: str, look: Callable[[Any, Any], Awaitable[list[Fact]]]
    ) -> Told:
        if account not in self._ids:
            return NOT_FOUND
        async with self._look(what) as conn:
            if conn is None:
                return TOO_MANY
            number = int(account.removeprefix("account "))
            row = await sql.fetchrow(conn, "account_by_number", id=number)
            if row is None:
                return NOT_FOUND
            await speak_of(conn, row, self.pseudonyms)
            return self._told(await look(conn, row))

    async def _standing(self, conn: Any, row: Any) -> list[Fact]:
        facts = await account_facts.standing(conn, row, self.pseudonyms, self.at)
        for one in await sql.fetch(conn, "traversals_of_account", account_id=row["id"]):
            self._ids.add(f"journey {one['slug']}")
        return facts

    async def _groups(self, conn: Any, row: Any) -> list[Fact]:
        facts: list[Fact] = []
        async for group in groups(conn, Filters(account=row["external_id"])):
            facts += await group_facts.of_group(conn, group, self.pseudonyms)
        return facts

    async def _accounts(self, conn: Any, words: str) -> list[Fact]:
        rows = await sql.fetch(conn, "accounts_that_are_called", words=words, limit=MOST_FOUND)
        for row in rows:
            self._known_account(row["id"], row["external_id"], row["attributes"])
        return [await account_facts.itself(conn, row, self.pseudonyms) for row in rows]

    async def _people(self, conn: Any, words: str) -> list[Fact]:
        facts = []
        for row in await sql.fetch(conn, "people_that_are_called", words=words, limit=MOST_FOUND):
            who = self.pseudonyms.person(row["id"], row["external_id"], row["attributes"])
            of = phrase("no account")
            if row["account_id"] is not None:
                of = self._known_account(row["account_id"], row["account"], row["account_fields"])
            facts.append(Fact(f"person:{row['id']}", who + " belongs to " + of))
        return facts

    def _known_account(self, number: int, external_id: str, attributes: Any) -> Phrase:
        self._ids.add(f"account {number}")
        return self.pseudonyms.account(number, external_id, attributes)

    def _journey(self, row: Any) -> Fact:
        self._ids.add(f"journey {row['slug']}")
        paused = f", paused since {readable(row['paused_at'])}" if row["paused_at"] else ""
        name = self.pseudonyms.hide(row["name"])
        stands = (
            f"is {row['state']}{paused}, from {readable(row['starts_at'])} to {readable(row['ends_at'])}: "
            f"{row['entered']} entered, {row['inside']} inside, {row['completed']} completed"
        )
        text = f"the journey {row['slug']} v{row['version']} (" + name + f") {stands}"
        return Fact(f"journey:{row['slug']}/{row['version']}", text)


TOO_MANY: Told = {"refused": "no more looks are allowed: answer from what was told"}


def _outcomes(slug: str, made: report.JourneyReport) -> Fact:
    ends = ", ".join(
        f"{row.accounts} {row.reason}" + (f" ({row.label})" if row.label else "")
        for row in made.outcomes
    )
    mails = "; ".join(
        f"the e-mail {row.email}: {row.counts.sent} sent, {row.counts.opened} opened, {row.counts.clicked} clicked"
        for row in made.emails
    )
    text = (
        f"in {slug} {made.entered} entered, {made.completed} completed, {counted(made.inside, 'is', 'are')} inside, "
        f"{counted(made.engaged_accounts, 'account', 'accounts')} and "
        f"{counted(made.engaged_people, 'person', 'people')} engaged; outcomes: {ends or 'none'}"
        + (f"; {mails}" if mails else "")
    )
    return Fact(f"report:{slug}", text)
