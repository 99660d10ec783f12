"""Importing 100,000 people of a second source, with a rule that makes each one with somebody of the first, and without."""

import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import data
from benchmarks.figures import Figure, Target, significant
from benchmarks.ground import Ground, Pair
from caravan.journeys.documents import IdentityDocument
from caravan.platform import identity
from caravan.platform.file_maps import FileSource
from caravan.platform.import_report import FileReport
from caravan.platform.imports import Importer

ACCOUNTS = 20_000
RULE = IdentityDocument(identity="people-by-email", of="people", match=("email",))


async def measure(ground: Ground) -> list[Figure]:
    """How much longer it takes where everybody is somebody who is there already, and where nobody is."""
    numbers = range(1, ACCOUNTS + 1)
    strangers = range(ACCOUNTS + 1, 2 * ACCOUNTS + 1)
    plain, _ = await _import(ground, "plain", numbers, [])
    none, nobody = await _import(ground, "none", strangers, [RULE])
    matched, everybody = await _import(ground, "matched", numbers, [RULE])
    return [
        Figure(
            "import_matched_to_plain",
            significant(matched / plain),
            Target("at most", 4),
            "times as long, where each of 100,000 people becomes one with another",
            {
                "merged": everybody.merged,
                "plain_seconds": significant(plain),
                "unmatched_to_plain": significant(none / plain),
                "unmatched": nobody.new,
            },
        )
    ]


async def _import(
    ground: Ground, name: str, second: range, rules: list[IdentityDocument]
) -> tuple[float, FileReport]:
    """Seconds for the second source's people, the first's being there."""
    async with ground.pair(f"match-{name}", "r1") as pair:
        async with pair.platform.acquire() as conn, conn.transaction():
            await identity.store_rules(conn, rules)
        both = range(1, 2 * ACCOUNTS + 1)
        first = range(1, ACCOUNTS + 1)
        await _bring(pair, "crm", data.accounts_file(pair.folder, both))
        await _bring(pair, "crm", data.people_file(pair.folder, first))
        await _bring(pair, "web", data.accounts_file(pair.folder, both))
        people = data.people_file(pair.folder, second)
        began = time.perf_counter()
        report = await _bring(pair, "web", people)
        return time.perf_counter() - began, report


async def _bring(pair: Pair, source: str, file: Path) -> FileReport:
    importer = Importer(
        pair.platform,
        pair.workspace.catalog,
        datetime.now(UTC),
        lambda *_: None,
        whose=FileSource(source),
    )
    return await importer.file(file)
