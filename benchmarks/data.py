"""Made-up accounts and people, the same on every run, as the CSV files an import takes."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PEOPLE_PER_ACCOUNT = 5
TITLES = (
    "Chief Operating Officer",
    "VP Engineering",
    "Grid Planner",
    "Asset Manager",
    "Field Engineer",
)
FIRST_NAMES = ("Anna", "Karl", "Mira", "Jonas", "Lea", "Ivar", "Nora")
CITIES = ("Stockholm", "Hamburg", "Gdansk", "Oslo", "Tallinn")


def accounts_file(folder: Path, numbers: Iterable[int], industry: str = "Energy") -> Path:
    """``accounts.csv``; every third account is large, so both paths of a split are taken."""
    return _write(
        folder / "accounts.csv",
        ("account_id", "name", "industry", "annual_revenue", "employees", "city"),
        (
            (
                f"account-{n}",
                f"Power {n}",
                industry,
                2_000_000_000 if n % 3 == 0 else 40_000_000,
                100 + n % 5000,
                CITIES[n % len(CITIES)],
            )
            for n in numbers
        ),
    )


def people_file(
    folder: Path, account_numbers: Iterable[int], per_account: int = PEOPLE_PER_ACCOUNT
) -> Path:
    """``people.csv``; two of an account's five are executives."""
    return _write(
        folder / "people.csv",
        ("person_id", "email", "first_name", "last_name", "job_title", "city", "account_id"),
        (
            (
                f"person-{n}-{k}",
                f"person.{k}@power-{n}.example",
                FIRST_NAMES[(n + k) % len(FIRST_NAMES)],
                f"Berg {n}",
                TITLES[k % len(TITLES)],
                CITIES[n % len(CITIES)],
                f"account-{n}",
            )
            for n in account_numbers
            for k in range(per_account)
        ),
    )


def _write(path: Path, header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path
