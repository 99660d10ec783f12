"""What several records that are one say together, field by field.

Pure. Each record keeps its own word; the unified record is folded from them anew whenever one of them
changes, so it does not matter in which order they came. The later as_of wins. They are deleted when all of them
are. Permission is narrower: an
opt-out that one of them says stands whatever the others say, until it takes that back or the person says
otherwise of the unified record later than the two became one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: by field of people, the value that speaks against writing to them
OPT_OUT: dict[str, bool] = {
    "unsubscribed": True,
    "suspended": True,
    "email_invalid": True,
    "email_consent": False,
    "sms_consent": False,
}
#: the flag of deletion, a word by its stamp like a field: its value is the stamp since which it is
DELETED = "$deleted"
#: a yes to text messages is of the number it was said for
NUMBER, SAID_OF_NUMBER = "mobile_phone", "sms_consent"

LATEST = "the later as_of"
ALONE = "nobody else says it"
STANDS = "an opt-out stands, whatever others say"
WITHHELD = "the number is of another record, which has not said yes"


@dataclass(frozen=True)
class Word:
    """What one record says: its fields (an empty one is absent) and the as_of of each.

    ``name`` decides where two say something at the same instant; ``since``: the stamp of the instant
    since which it is one with the others.
    """

    name: str
    fields: Mapping[str, Any]
    stamps: Mapping[str, str]
    since: str = ""


@dataclass(frozen=True)
class Winner:
    """Whose word a field has, and why."""

    word: Word
    why: str


@dataclass(frozen=True)
class Folded:
    """The unified record, and for each field who won."""

    fields: dict[str, Any]
    stamps: dict[str, str]
    winners: dict[str, Winner]


def fold(own: Sequence[Word], together: Word | None = None) -> Folded:
    """Fold the words of records that are one.

    Args:
        own: of each of them, in any order.
        together: what was said of the unified record itself.
    """
    words = [*own, together] if together is not None else list(own)
    fields: dict[str, Any] = {}
    stamps: dict[str, str] = {}
    winners: dict[str, Winner] = {}
    for field in sorted({field for word in words for field in word.stamps} - {DELETED}):
        said = [word for word in words if field in word.stamps]
        winner = Winner(max(said, key=_by_instant(field)), LATEST if len(said) > 1 else ALONE)
        stamp = winner.word.stamps[field]
        if field in OPT_OUT:
            winner, stamp = _permission(field, own, together, winner)
        value = winner.word.fields.get(field)
        if field == SAID_OF_NUMBER and value is True and winner.word is not together:
            number = [word for word in words if NUMBER in word.stamps]
            of_number = max(number, key=_by_instant(NUMBER)) if number else winner.word
            if of_number is not together and of_number.fields.get(field) is not True:
                value, winner = None, Winner(of_number, WITHHELD)
                stamp = max(stamp, of_number.stamps[NUMBER])
        if value is not None:
            fields[field] = value
        stamps[field], winners[field] = stamp, winner
    flagged = [word.stamps[DELETED] for word in own if DELETED in word.stamps]
    if flagged:
        stamps[DELETED] = max(flagged)
    if own and all(DELETED in word.fields for word in own):
        fields[DELETED] = max(word.fields[DELETED] for word in own)
    return Folded(fields, stamps, winners)


def later(one: Word, other: Word) -> Word:
    """Two words about one record, the later as_of winning field by field."""
    stamps = dict(one.stamps)
    fields = dict(one.fields)
    for field, stamp in other.stamps.items():
        if field not in stamps or stamps[field] < stamp:
            stamps[field] = stamp
            fields.pop(field, None)
            if field in other.fields:
                fields[field] = other.fields[field]
    return Word(one.name, fields, stamps, one.since)


def alone(own: Word, together: Word | None) -> Word:
    """The word of a record that is one with nobody any more.

    Args:
        own: what it said itself; it keeps the stamps of that.
        together: what stays with it of what was said of all of them.
    """
    if together is None:
        return own
    folded = fold([own], together)
    itself = {
        field: own.stamps[field]
        for field, winner in folded.winners.items()
        if winner.word is own and winner.why != WITHHELD
    }
    return Word(own.name, folded.fields, folded.stamps | itself, own.since)


def opt_outs_of(word: Word) -> Word | None:
    """What of a word speaks against writing to the person; None where nothing does."""
    names = [name for name, against in OPT_OUT.items() if word.fields.get(name) is against]
    if not names:
        return None
    return Word(
        word.name,
        {name: word.fields[name] for name in names},
        {name: word.stamps[name] for name in names},
    )


def _permission(
    field: str, own: Sequence[Word], together: Word | None, latest: Winner
) -> tuple[Winner, str]:
    """Who wins a field of permission, with a stamp that nothing said before can overrule."""
    against = [word for word in own if word.fields.get(field) is OPT_OUT[field]]
    said = [word for word in own if field in word.stamps]
    stamps = [word.stamps[field] for word in said]
    if together is not None and field in together.stamps:
        stamps.append(together.stamps[field])
    if not against:
        return latest, max(stamps)
    first = max(against, key=_by_instant(field))
    stands_since = max(max(word.stamps[field], word.since) for word in against)
    if together is not None and together.stamps.get(field, "") > stands_since:
        return Winner(together, LATEST), max(stamps)
    return Winner(first, STANDS), max(*stamps, stands_since)


def _by_instant(field: str) -> Any:
    return lambda word: (word.stamps[field], word.name)
