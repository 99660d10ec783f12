"""Whether anything of a simulation could tell that buying groups are looked at every day.

The daily run costs some milliseconds for each simulated day, years of which are to take seconds.
"""

from collections.abc import Iterable

from pydantic import BaseModel

#: how conditions, events, actions and texts that depend on groups or on engagement are written
WORDS = ("buying_group", "member_of", "completeness", "engagement", '"top"')


def asks_of_groups(documents: Iterable[BaseModel]) -> bool:
    """Whether these may depend on groups; a word of theirs that means something else counts too."""
    return any(
        word in text
        for text in (one.model_dump_json(exclude_none=True) for one in documents)
        for word in WORDS
    )
