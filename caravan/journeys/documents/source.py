"""The document ``source:``: how the files of a source say what our files say."""

from pydantic import BaseModel, ConfigDict

from caravan.journeys.conditions.scope import nearest
from caravan.journeys.fields import Entity, FieldCatalog
from caravan.journeys.reading import SLUG, SLUG_IN_WORDS, Fields
from caravan.journeys.written import as_written, shown

#: what a file may hold: of which records, and the columns beside their fields
HOLDS: dict[str, tuple[Entity, tuple[str, ...]]] = {
    "accounts": ("account", ("account_id",)),
    "people": ("person", ("person_id", "account_id", "roles")),
    "relations": ("relation", ("account_id", "person_id", "roles")),
    "opportunities": ("opportunity", ("opportunity_id", "account_id")),
}
#: the columns without which a row is nobody's
NEEDED: dict[str, tuple[str, ...]] = {
    "accounts": ("account_id",),
    "people": ("person_id",),
    "relations": ("account_id", "person_id"),
    "opportunities": ("opportunity_id", "account_id"),
}
IDS = ("account_id", "person_id", "opportunity_id")
#: the column that says since when a row says what it says
AS_OF = "as_of"
#: the column by which a source says that it has a record no more
IS_DELETED = "is_deleted"
SEPARATORS = (",", ";", "tab", "|")


class FileMap(BaseModel):
    """One kind of file of a source."""

    model_config = ConfigDict(frozen=True)

    file: str  # a name, in which * stands for anything
    holds: str
    columns: dict[
        str, str
    ] = {}  # the source's name of a column → ours; none: they are ours already
    constants: dict[str, str] = {}  # ours → what every row has
    values: dict[str, dict[str, str]] = {}  # ours → what the source writes → what we write
    dates: dict[str, str] = {}  # ours → as strptime writes it
    ids_of: dict[str, str] = {}  # an id column → the source whose ids those are
    separator: str = ","


class SourceDocument(BaseModel):
    """A source: its name stands before its ids."""

    model_config = ConfigDict(frozen=True)

    source: str
    files: tuple[FileMap, ...]


def read_source(fields: Fields, catalog: FieldCatalog) -> SourceDocument | None:
    """From its mapping; None where anything in it is wrong."""
    slug = fields.slug("source")
    if slug == "files":
        fields.problem("bad-value", "source", "files is the name of what comes without a source")
    fields.required("files")
    each = fields.each("files")
    files = [_read_file(one, catalog) for one in each]
    fine = all(one.fine for one in each)
    if not fields.finish() or not fine or slug is None:
        return None
    return SourceDocument(source=slug, files=tuple(one for one in files if one is not None))


def _read_file(fields: Fields, catalog: FieldCatalog) -> FileMap | None:
    fields.required("file")
    file = fields.text("file")
    fields.required("holds")
    holds = fields.choice("holds", tuple(HOLDS))
    ours = _columns_of(holds, catalog)
    columns = _texts(fields, "columns")
    for theirs, name in columns.items():
        _check_known(fields, ("columns", theirs), name, (*ours, AS_OF), holds)
    doubled = {name for name in columns.values() if list(columns.values()).count(name) > 1}
    for name in sorted(doubled):
        fields.problem("bad-value", "columns", f"two columns are {name}")
    constants = _texts(fields, "constants")
    dates = _texts(fields, "dates")
    for key, given in (("constants", constants), ("dates", dates)):
        for name in given:
            _check_known(fields, (key, name), name, (*ours, AS_OF), holds)
    values = {}
    inner = fields.inner("values")
    for key in inner.raw:
        name = as_written(key)
        _check_known(fields, ("values", name), name, ours, holds)
        values[name] = _texts(inner, key)
    inner.finish()
    fields.fine = fields.fine and inner.fine
    ids_of = _texts(fields, "ids_of")
    for name, source in ids_of.items():
        _check_known(fields, ("ids_of", name), name, IDS, holds)
        if not SLUG.fullmatch(source):
            _report(fields, ("ids_of", name), f"{shown(source)} is no source: {SLUG_IN_WORDS}")
    separator = fields.choice("separator", SEPARATORS) or ","
    if holds is not None and columns:
        there = {*columns.values(), *constants}
        for name in NEEDED[holds]:
            if name not in there:
                fields.problem("missing-key", "columns", f"no column is {name}")
    if not fields.finish() or file is None or holds is None:
        return None
    return FileMap(
        file=file,
        holds=holds,
        columns=columns,
        constants=constants,
        values=values,
        dates=dates,
        ids_of=ids_of,
        separator="\t" if separator == "tab" else separator,
    )


def _columns_of(holds: str | None, catalog: FieldCatalog) -> tuple[str, ...]:
    if holds is None:
        return ()
    entity, beside = HOLDS[holds]
    return (*beside, IS_DELETED, *catalog.of(entity))


def _texts(fields: Fields, key: str) -> dict[str, str]:
    """A mapping of texts to texts."""
    texts = {}
    for name, raw in fields.mapping(key).items():
        if isinstance(raw, dict | list):
            _report(fields, (key, name), f"{name} takes a text")
        else:
            texts[as_written(name)] = "" if raw is None else as_written(raw)
    return texts


def _check_known(
    fields: Fields, place: tuple[str, str], name: str, known: tuple[str, ...], holds: str | None
) -> None:
    if holds is not None and name not in known:
        _report(fields, place, f"{holds} have no {name}{nearest(name, known)}", "unknown-field")


def _report(fields: Fields, place: tuple[str, str], message: str, code: str = "bad-value") -> None:
    fields.fine = False
    fields.report(code, (*fields.path, *place), message)
