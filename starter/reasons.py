"""Why something was not done, or not yet: the ledger's reason, or else what the relay said."""

from collections.abc import Mapping
from typing import Any

#: nobody asks why; the relay's friendly words would only be in the way
FINE = ("accepted", "done")


def reason(effect: Mapping[str, Any]) -> str | None:
    """The reason of an effect; the relay's words for one it refused or delayed."""
    fine = effect["state"] in FINE
    told: str | None = effect["reason"] or (None if fine else effect["reply"])
    return told


def with_reason(effect: Mapping[str, Any]) -> dict[str, Any]:
    """An effect as a table shows it; for programs reason and reply stay apart."""
    return {**effect, "reason": reason(effect)}
