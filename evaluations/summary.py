"""Summaries: whether what matters is said and cited, and nothing that the records do not say."""

import re
from datetime import UTC, datetime

from caravan.ai.asking import Asker
from caravan.ai.summarising import summarise
from caravan.reports.facts import Fact, Facts
from caravan.reports.pseudonyms import Pseudonyms
from evaluations.cases import Case
from evaluations.evaluation import Score

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


async def summarises(asker: Asker, case: Case) -> Score:
    """A share for each of what is to be cited and said; nothing where something is said that is not known."""
    answer = await summarise(asker, facts_of(case), AT)
    said = " ".join(one.text for one in answer.value.sentences)
    cited = {record for one in answer.value.sentences for record in one.records}
    if never := [one for one in case.data.get("never", ()) if re.search(one, said, re.IGNORECASE)]:
        return Score(0.0, f"says {never[0]}")
    wanted = [(one, one in cited) for one in case["cites"]]
    wanted += [(one, re.search(one, said, re.IGNORECASE) is not None) for one in case["says"]]
    missing = [one for one, is_there in wanted if not is_there]
    return Score(1 - len(missing) / len(wanted), f"lacks {', '.join(missing)}" if missing else "")


def facts_of(case: Case) -> Facts:
    """The facts of a case, which speaks of account 1 and of persons from 1 on."""
    pseudonyms = Pseudonyms()
    pseudonyms.account(1, "acc-01", {"name": "Acme Power"})
    for number in range(1, 10):
        pseudonyms.person(number, f"p-{number}", {"first_name": f"Given{number}"})
    items = [
        Fact(
            row["record"],
            row["text"],
            row["at"].replace(tzinfo=UTC) if "at" in row else None,
            frozenset(("account 1",)),
        )
        for row in case["records"]
    ]
    return Facts("account 1", tuple(items), pseudonyms)
