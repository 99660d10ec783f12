"""The documents ``account_list:`` and ``people_list:``: named accounts or people, or a condition."""

import csv
from pathlib import Path as FilePath

from pydantic import BaseModel, ConfigDict

from caravan.journeys.conditions.model import Condition
from caravan.journeys.conditions.naming import ListOf
from caravan.journeys.conditions.scope import Scope
from caravan.journeys.reading import Fields
from caravan.journeys.written import as_written, shown

#: leading key → whom the list is of
LISTS: dict[str, ListOf] = {"account_list": "accounts", "people_list": "people"}
ID_COLUMNS: dict[ListOf, str] = {"accounts": "account_id", "people": "person_id"}
LONGEST_ID = 200


class ListDocument(BaseModel):
    """A list; ``when`` None: static, with the outside ids its document names."""

    model_config = ConfigDict(frozen=True)

    list: str
    of: ListOf
    zone: str = "UTC"
    when: Condition | None = None
    members: tuple[str, ...] = ()


def is_dynamic(raw: object) -> bool:
    """Whether a document says of itself, before it is read, that it is a dynamic list."""
    return isinstance(raw, dict) and raw.get("type") == "dynamic"


def read_list(
    fields: Fields, kind: str, scope: Scope, zone: str, directory: FilePath
) -> ListDocument | None:
    """From its mapping; None where anything in it is wrong.

    Args:
        fields: the document.
        kind: its leading key.
        scope: of conditions in the engage store.
        zone: the workspace's, whose days a condition means.
        directory: the workspace, where ``file`` is looked for.
    """
    of = LISTS[kind]
    slug = fields.slug(kind)
    fields.required("type")
    type_ = fields.choice("type", ("static", "dynamic"))
    has_members, file = fields.has("members"), fields.text("file")
    when = fields.condition("when", "account" if of == "accounts" else "person", scope)
    if type_ == "static" and fields.has("when"):
        fields.problem(
            "bad-value", "when", "a static list has members or a file; when is for dynamic ones"
        )
    if type_ == "dynamic":
        for key in ("members", "file"):
            if fields.has(key):
                fields.problem(
                    "bad-value", key, f"{key} is for static lists; a dynamic one has when"
                )
        fields.required("when")
    if has_members and file is not None:
        fields.problem("bad-value", "file", "a list takes members or a file, not both")
    members = _members(fields) if has_members else ()
    if file is not None:
        members = _members_of_file(fields, file, ID_COLUMNS[of], directory)
    if not fields.finish() or slug is None:
        return None
    return ListDocument(list=slug, of=of, zone=zone, when=when, members=members)


def _members(fields: Fields) -> tuple[str, ...]:
    members = []
    for number, raw in enumerate(fields.items("members")):
        member = "" if isinstance(raw, dict | list) else as_written(raw)
        if _is_id(member):
            members.append(member)
            continue
        fields.fine = False
        fields.report(
            "bad-value",
            (*fields.path, "members", number),
            f"{shown(raw)[:40]} is not an id: 1 to {LONGEST_ID} characters, none of them a control character",
        )
    return tuple(dict.fromkeys(members))


def _members_of_file(
    fields: Fields, file: str, column: str, directory: FilePath
) -> tuple[str, ...]:
    """The ids in the column of a CSV file of the workspace."""

    def refused(reason: str) -> tuple[str, ...]:
        fields.problem("bad-value", "file", f"{file}: {reason}")
        return ()

    if "\x00" in file or not (directory / file).resolve().is_relative_to(directory.resolve()):
        return refused("lies outside the workspace")
    try:
        with (directory / file).open(encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(text, strict=True)
            if column not in (rows.fieldnames or ()):
                return refused(f"a column {column} was expected in its first line")
            members = [row[column] or "" for row in rows if any(row.values())]
            for number, member in enumerate(members, start=2):
                if not _is_id(member):
                    return refused(f"row {number} has no {column} of 1 to {LONGEST_ID} characters")
    except OSError as error:
        return refused(f"cannot be read ({error.strerror})")
    except (UnicodeDecodeError, csv.Error) as error:
        return refused(f"is no CSV file in UTF-8 ({error})")
    return tuple(dict.fromkeys(members))


def _is_id(text: str) -> bool:
    return 0 < len(text) <= LONGEST_ID and not any(
        letter < " " or "\x7f" <= letter <= "\x9f" for letter in text
    )
