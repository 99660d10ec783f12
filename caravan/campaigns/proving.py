"""Proving deliveries: the ledger against what the other sides have taken, and against what workflows were told.

Only compares; it reads nothing itself. What is under way, was erased or has expired is no difference, and is
counted apart.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: the ledger says that the other side does not have it
NOT_GONE = ("claimed", "held", "deferred", "refused", "skipped")


@dataclass(frozen=True, order=True)
class Difference:
    """Two of the three do not agree."""

    what: str
    about: str  # a Message-ID, or a workflow and its step
    told: str = ""


@dataclass
class Compared:
    """Counts by name, and what does not agree."""

    counts: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)


def against_log(messages: Iterable[Mapping[str, Any]], taken: Counter[str]) -> Compared:
    """The ledger's messages of one carrier against what the other side took.

    Args:
        messages: rows of ``messages_to_prove``.
        taken: how often each was taken, by what the other side knows it by (``known_as``); what the ledger does
            not know may be of others.
    """
    found = Compared(
        {
            "taken": sum(taken.values()),
            "of them in doubt": 0,
            "accepted and erased since": 0,
            "accepted by a person's word": 0,
            "sent again by a person's word": 0,
            "unknown to this ledger": 0,
        }
    )
    counts, unknown = found.counts, dict(taken)
    for row in messages:
        identity, known_as, state = row["message_id"], row["known_as"], row["state"]
        times = unknown.pop(known_as, 0) if known_as is not None else 0
        if state == "accepted" and not times:
            if row["gone"]:
                counts["accepted and erased since"] += 1
            elif known_as is None:
                counts["accepted by a person's word"] += 1
            else:
                found.differences.append(Difference("accepted, not taken", identity))
        if times and state in NOT_GONE:
            found.differences.append(Difference("taken, not accepted", identity, state))
        if times and state == "in_doubt":
            counts["of them in doubt"] += 1
        if times > 1 and row["resent"]:
            counts["sent again by a person's word"] += 1
        elif times > 1:
            found.differences.append(Difference("taken more than once", identity, f"{times} times"))
    counts["unknown to this ledger"] = sum(unknown.values())
    return found


def against_status(texts: Iterable[Mapping[str, Any]]) -> Compared:
    """The ledger's texts against what the provider has said became of each; it need not say anything.

    Args:
        texts: rows of ``messages_to_prove``.
    """
    found = Compared({"accepted": 0, "of them delivered": 0, "of them not delivered": 0})
    for row in texts:
        if row["state"] == "accepted":
            found.counts["accepted"] += 1
            found.counts["of them delivered"] += row["heard"] == "delivered"
            found.counts["of them not delivered"] += row["heard"] == "bounced"
        elif row["heard"] is not None:
            said = f"{row['state']}, and the provider says {row['heard']}"
            found.differences.append(Difference("taken, not accepted", row["message_id"], said))
    return found


@dataclass(frozen=True)
class Told:
    """What the histories of one workflow tell: the counts of each step that sent, by its number."""

    counts: dict[int, dict[str, int]]
    complete: bool  # it came to its end by itself, and none of its runs has expired


def against_histories(
    sends: Sequence[Mapping[str, Any]], told: Mapping[str, Told | None]
) -> Compared:
    """The stored steps that sent against the ledger, and against what their workflows were told.

    Args:
        sends: rows of ``sends_to_prove``.
        told: by workflow id; None: its history has expired.
    """
    expired = sum(1 for one in told.values() if one is None)
    found = Compared(
        {
            "workflows": len(told),
            "of them expired": expired,
            "sends": len(sends),
            "sends told": 0,
            "messages told": 0,
            "sends not told, expired": 0,
            "sends not told yet or any more": 0,
        }
    )
    counts = found.counts
    for row in sends:
        about = f"{row['workflow_id']} step {row['step_no']} at {row['node']}"
        if row["counted"] > row["kept"] or (row["completed"] and row["counted"] != row["kept"]):
            ledger = f"{row['counted']} counted, {row['kept']} in the ledger"
            found.differences.append(Difference("step and ledger", about, ledger))
        history = told.get(row["workflow_id"])
        if history is None:
            counts["sends not told, expired"] += 1
        elif row["step_no"] in history.counts:
            was = history.counts[row["step_no"]]
            counts["sends told"] += 1
            counts["messages told"] += sum(was.values())
            if was != row["counts"]:
                told_so = f"told {_counted(was)}, stored {_counted(row['counts'])}"
                found.differences.append(Difference("history and step", about, told_so))
        elif history.complete:
            found.differences.append(Difference("step without history", about))
        else:
            counts["sends not told yet or any more"] += 1
    stored = {(row["workflow_id"], row["step_no"]) for row in sends}
    for workflow_id, history in told.items():
        for step_no in history.counts if history is not None else ():
            if (workflow_id, step_no) not in stored:
                found.differences.append(
                    Difference("history without step", f"{workflow_id} step {step_no}")
                )
    return found


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "nothing"


def lasting(first: Sequence[Difference], again: Sequence[Difference]) -> list[Difference]:
    """Those that two looks have both found: what was just under way is seen by one of them alone."""
    return sorted(set(first) & set(again))
