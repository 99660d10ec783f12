"""Answers: whether they cite the records that say so, and whether what no record says is said to be unknown."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from caravan.ai.answering import answer
from caravan.ai.asking import Asker
from caravan.lookups.ask_tools import Looking
from caravan.reports.facts import Fact, as_data
from caravan.reports.pseudonyms import Pseudonyms
from evaluations.cases import Case
from evaluations.evaluation import Score
from evaluations.summary import facts_of

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


@dataclass
class Staged:
    """The tools of ``caravan ask``, with what a case lets each tell."""

    case: Case
    pseudonyms: Pseudonyms
    seen: dict[str, Fact] = field(default_factory=dict)

    @property
    def tools(self) -> Sequence[Callable[..., Awaitable[Any]]]:
        looking: Any = Looking(None, None, "", "", AT)  # type: ignore[arg-type]
        return [self._staged(tool) for tool in looking.tools]

    def _staged(self, tool: Any) -> Callable[..., Awaitable[Any]]:
        @wraps(tool)
        async def tells(*_: object, **__: object) -> Any:
            told = [
                one for one in facts_of(self.case).items if one.record in self._told(tool.__name__)
            ]
            self.seen |= {one.record: one for one in told}
            return {"records": as_data(told), "left_out": 0}

        return tells

    def _told(self, tool: str) -> Sequence[str]:
        told: Sequence[str] = self.case["tells"].get(tool, ())
        return told


async def answers(asker: Asker, case: Case) -> Score:
    """Half for whether it is known, the rest by what is to be cited and said."""
    staged = Staged(case, facts_of(case).pseudonyms)
    got = (await answer(asker, case["question"], staged, AT)).value
    if got.known is not case["known"]:
        return Score(0.0, "known, and is not" if got.known else "not known, and is")
    cited = {record for one in got.sentences for record in one.records}
    said = " ".join([*(one.text for one in got.sentences), got.missing])
    wanted = [(one, one in cited) for one in case.data.get("cites", ())]
    wanted += [
        (one, re.search(one, said, re.IGNORECASE) is not None) for one in case.data.get("says", ())
    ]
    missing = [one for one, is_there in wanted if not is_there]
    share = 1 - len(missing) / len(wanted) if wanted else 1.0
    return Score(0.5 + share / 2, f"lacks {', '.join(missing)}" if missing else "")
