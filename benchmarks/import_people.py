"""Importing 100,000 people of 20,000 accounts from a CSV file into an empty sandbox."""

import time

from benchmarks import data
from benchmarks.figures import Figure, Target, significant
from benchmarks.ground import Ground

ACCOUNTS = 20_000


async def measure(ground: Ground) -> list[Figure]:
    """Reading, checking, storing and relating; the accounts are there already."""
    async with ground.pair("import-people", "r1") as pair:
        numbers = range(1, ACCOUNTS + 1)
        await pair.load(data.accounts_file(pair.folder, numbers))
        people = data.people_file(pair.folder, numbers)
        began = time.perf_counter()
        report = await pair.load(people)
        took = time.perf_counter() - began
    return [
        Figure(
            "import_people_seconds",
            significant(took),
            Target("at most", 15),
            "s for 100,000 people",
            {"people": report.new, "people_per_second": round(report.new / took)},
        )
    ]
