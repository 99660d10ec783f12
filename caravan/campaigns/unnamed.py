"""Keeping back what says who somebody is: no text with a name, an address, a number or a web domain in it is told.

Fields that mean something else may hold them all the same: a role "Ann's deputy", an industry "see acme.example".
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

#: characters of a text that is told; the rest is cut off
LONGEST = 80
#: what an address, a web page or a telephone number looks like, whoever's it is
_REACHES = re.compile(r"@|://|\bwww\.|\w\.[a-z]{2,}\b|\d(?:[\s().\-/]{0,3}\d){6,}", re.IGNORECASE)
_WORDS = re.compile(r"\w+")
_UNPRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

#: fields by which a record is known or reached
ACCOUNT_FIELDS = ("name", "domain", "street", "postal_code", "phone", "logo_url")
PERSON_FIELDS = (
    "first_name", "last_name", "email", "phone", "mobile_phone", "date_of_birth", "postal_code",
)  # fmt: skip
OPPORTUNITY_FIELDS = ("name",)
FIELDS = tuple(dict.fromkeys((*ACCOUNT_FIELDS, *PERSON_FIELDS, *OPPORTUNITY_FIELDS)))


class Unnamed:
    """Tells texts without what the records of an account are called and reached by."""

    def __init__(self, records: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """From ids and attributes."""
        self._known = {
            words
            for outside_id, attributes in records
            for value in (outside_id, *(attributes.get(field) for field in FIELDS))
            if (words := tuple(_words(value))) and len("".join(words)) > 1
        }
        self._longest = max(map(len, self._known), default=0)

    def __call__(self, value: object) -> str | None:
        """A text in one line, cut; None where it is empty, or somebody could be told by it."""
        text = _UNPRINTED.sub(" ", str(value)).strip() if isinstance(value, str) else ""
        if not text or _REACHES.search(text) or self._names(text):
            return None
        return text[:LONGEST]

    def _names(self, text: str) -> bool:
        words = list(_words(text))
        return any(
            (*words[start:end], words[end][:cut]) in self._known
            for start in range(len(words))
            for end in range(start, min(start + self._longest, len(words)))
            for cut in (None, -1, -2)  # Annas, Marks: of whom something is
        )


def _words(value: object) -> Iterator[str]:
    """The words of a text, without case and accents: BERGSTROM is Bergström, IŞIK is Işık; of an empty value none."""
    if value in (None, ""):
        return iter(())
    letters = unicodedata.normalize("NFKD", str(value).casefold()).replace("ı", "i")
    plain = "".join(one for one in letters if not unicodedata.combining(one))
    return iter(_WORDS.findall(plain))
