"""``caravan person export|erase``: all that is held of a person, and the end of it with proof."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from caravan.campaigns import personal_data, traces
from caravan.campaigns.person_erasure import (
    erase_here,
    erase_in_platform,
    phones_of_others,
    whose_too,
    without_what_is_others,
)
from caravan.campaigns.personal_data import ENGAGE, PLATFORM, Person
from caravan.campaigns.plans import PlanCache
from caravan.campaigns.traces import DOCUMENTS, Needles, Trace
from caravan.database import erasures
from caravan.database.erasures import ErasureKey
from caravan.journeys.suppressing import address_key
from caravan.settings import SettingsError, read_stack_file
from caravan.stack.forgotten_mail import forget, mail_of
from starter.errors import Failed, UserError
from starter.output import Format, FormatOption, as_instant, as_json, plainly, plural, say, show
from starter.session import Session, SubscriptionOption, run_with

Key = Annotated[str, typer.Argument(help="The person's id or e-mail address.")]


def export(
    person: Key,
    out: Annotated[
        Path | None, typer.Option("--out", help="The file to write; absent: standard output.")
    ] = None,
    subscription: SubscriptionOption = None,
) -> None:
    """Write all that both stores hold of a person, by store and table, and captured mail, as JSON."""

    async def body(session: Session) -> dict[str, Any]:
        found = await _find(session, person)
        engage, platform = await session.engage(), await session.platform()
        here = await personal_data.held(engage, "engage", found)
        return {
            "person": found.external_ids[0],
            "exported_at": as_instant(datetime.now(UTC)),
            "platform": await personal_data.held(platform, "platform", found),
            "engage": here,
            "mail": _captured(session, found, here),
        }

    text = as_json(run_with(subscription, body))
    if out is None:
        print(text)
        return
    out.write_text(text + "\n", encoding="utf-8")
    plainly(f"{out}: all that is held of {person}")


def erase(
    person: Key,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Erase a person from both stores, for good, and prove it.

    What other things count on stays as a number that is nobody's: the ledger's rows, that something happened.
    Mail that has not left is withdrawn. They do not come back by an import: their id and address are known by a
    keyed hash (ERASURE_KEY). The account's journeys go on. Killed in between, run it again. Exits 1 if anything is left.
    """

    async def body(session: Session) -> bool:
        return await _Erasure(session, form).run(person, yes)

    if not run_with(subscription, body):
        raise Failed("something is left of this person: see above")


class _Erasure:
    def __init__(self, session: Session, form: Format) -> None:
        self._session, self._form = session, form

    async def run(self, key: str, yes: bool) -> bool:
        """Whether nothing is left."""
        session = self._session
        erasure_key = session.erasure_key()
        if erasure_key is None:
            raise SettingsError(
                "ERASURE_KEY is not set: it tells later who was erased, so that nobody comes back. Set it to "
                "at least 32 characters that nobody can guess, and keep it"
            )
        engage, platform = await session.engage(), await session.platform()
        person = await personal_data.find(engage, platform, key)
        if person is None:
            person = await _erased_before(platform, erasure_key, key)
        if person is None:
            raise UserError(f"No person {key} in either store")
        before = await self._counts(person)
        others = await whose_too(engage, platform, person)
        numbers = await phones_of_others(engage, platform, person)
        if not yes and not await asyncio.to_thread(
            typer.confirm, f"Erase {key} from both stores, for good?", err=True
        ):
            raise UserError("nothing was erased")
        here = await personal_data.held(engage, "engage", person)
        message_ids = [row["message_id"] for row in here["ledger"] if row["message_id"]]
        rest = without_what_is_others(person, others, numbers)
        needles = Needles(rest.addresses, _ids_of_one(person, others), rest.phones)
        at = datetime.now(UTC)
        erased = await erase_here(engage, PlanCache(), rest, erasure_key, at)
        mail = forget(session.settings.home / "mail", rest.addresses, message_ids, needles.pattern)
        await self._put_out(engage, needles)
        # last, for the Platform's row is what a second try finds them by
        await erase_in_platform(platform, rest, erasure_key, at)
        await self._put_out(platform, needles)
        left = [
            (store, trace)
            for store, pool in (("engage", engage), ("platform", platform))
            for trace in await self._look(pool, needles)
        ]
        after = await self._counts(person)
        self._tell(person, before, after, left, others, numbers, mail, erased.withdrawn)
        if not erased.left:
            say(
                "a message to them or about their account had begun to leave before, and the relay has not answered yet: "
                "run this again, and captured mail is looked through again"
            )
        return not any(_is_left(trace) for _, trace in left)

    async def _counts(self, person: Person) -> dict[tuple[str, str], int]:
        engage, platform = await self._session.engage(), await self._session.platform()
        counts = {}
        for store, pool in (("engage", engage), ("platform", platform)):
            for table, rows in (await personal_data.held(pool, store, person)).items():
                counts[store, table] = len(rows)
        return counts

    async def _look(self, pool: Any, needles: Needles) -> list[Trace]:
        async with pool.acquire() as conn:
            return await traces.look(conn, needles)

    async def _put_out(self, pool: Any, needles: Needles) -> None:
        """Put out what stands elsewhere than where a person's data are known to be."""
        async with pool.acquire() as conn:
            await traces.put_out(conn, needles, await traces.look(conn, needles))

    def _tell(
        self,
        person: Person,
        before: Mapping[tuple[str, str], int],
        after: Mapping[tuple[str, str], int],
        left: list[tuple[str, Trace]],
        others: list[str],
        numbers: list[str],
        mail: int,
        withdrawn: int,
    ) -> None:
        fates = {"engage": ENGAGE, "platform": PLATFORM}
        rows = [
            {
                "store": store,
                "table": table,
                "before": count,
                "after": after[store, table],
                "what": {"goes": "deleted", "emptied": "emptied", "stays": "has numbers alone"}[
                    fates[store][table]
                ],
            }
            for (store, table), count in before.items()
            if count or after[store, table]
        ]
        traces_left = [
            {"store": store, "table": trace.table, "column": trace.column, "what": trace.what}
            | {"rows": trace.rows, "told_only": not _is_left(trace)}
            for store, trace in left
        ]
        if self._form is Format.json:
            proof = {"person": person.id, "rows": rows, "left": traces_left}
            print(as_json(proof | {"mail": mail, "withdrawn": withdrawn, "shared_with": others}))
            return
        show(rows, self._form, title=f"Person {person.id}, erased", empty="nothing was held")
        plainly(f"{plural(mail, 'captured message')} removed, {withdrawn} withdrawn")
        for other in others:
            say(f"the address is {other}'s too: it was not looked for, and {other} was not erased")
        if numbers:
            say("a telephone number is others' too: what is suppressed of it stays")
        if not left:
            plainly("every text and JSON column of both stores was searched: nothing is left")
            return
        show(traces_left, self._form, title="Found in the search of both stores")


def _ids_of_one(person: Person, others: list[str]) -> tuple[str, ...]:
    """Their ids, but for one that is an address which is others' too."""
    shared = {address.casefold() for address in person.addresses} if others else set()
    return tuple(one for one in person.external_ids if one.casefold() not in shared)


def _is_left(trace: Trace) -> bool:
    """An id alone may be another's word, and documents are the workspace's: those are told."""
    return trace.what == "address" and trace.table not in DOCUMENTS


async def _find(session: Session, key: str) -> Person:
    engage, platform = await session.engage(), await session.platform()
    found = await personal_data.find(engage, platform, key)
    if found is None:
        raise UserError(f"No person {key} in either store")
    return found


async def _erased_before(platform: Any, key: ErasureKey, given: str) -> Person | None:
    """Who was erased under this id or address: what a try that died has left is still to be looked for."""
    is_address = "@" in given
    async with platform.acquire() as conn:
        number = await erasures.number_of(
            conn, [key.person(given), *([key.email(address_key(given))] if is_address else [])]
        )
    if number is None:
        return None
    also = tuple(one for one in await personal_data.numbers_of(platform, number) if one != number)
    return Person(number, (given,), (given,) if is_address else (), also=also)


def _captured(session: Session, person: Person, here: Mapping[str, Any]) -> list[dict[str, object]]:
    """Mail that the embedded stack captured, whole."""
    if not read_stack_file(session.settings.home):
        return []
    directory = session.settings.home / "mail"
    ids = [row["message_id"] for row in here["ledger"] if row["message_id"]]
    return [
        line | {"content": (directory / str(line["file"])).read_text("utf-8", "replace")}
        for line in mail_of(directory, person.addresses, ids)
    ]
