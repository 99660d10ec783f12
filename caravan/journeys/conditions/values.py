"""A field of a JSON column as an SQL value of its type, whatever the JSON really holds.

Records are written with the right types, but a field's type may be changed after its data came, and
the fields of events are as their senders wrote them. What does not fit is null: no stored value may
make a query fail.
"""

from caravan.journeys.fields import FieldType

SQL_TYPE: dict[str, str] = {
    "string": "text",
    "integer": "numeric",
    "number": "numeric",
    "boolean": "boolean",
    "date": "date",
    "datetime": "timestamptz",
}

#: what may be cast; the database itself would also take "now", "infinity" and "June 1". Of a number digits and white
#: space are spelt out: \d and \s are those of all scripts, which the cast does not read
_SPACE = r"[ \t\n\r\f\v]*"
NUMBER = rf"^{_SPACE}[+-]?[0-9]{{1,100}}(\.[0-9]{{1,100}})?([eE][+-]?[0-9]{{1,2}})?{_SPACE}$"
DAY = r"^\d{4}-\d{2}-\d{2}([T ]|$)"
INSTANT = (
    r"^\d{4}-\d{2}-\d{2}"
    r"([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)?)?$"
)


def quoted(name: str) -> str:
    """A JSON key as an SQL string constant (expression indexes need constants)."""
    return "'" + name.replace("'", "''") + "'"


def text_of(record: str, field: str) -> str:
    """The field as a text, whatever it is."""
    return f"({record} ->> {quoted(field)})"


def value_of(record: str, field: str, kind: FieldType) -> str:
    """The field as an SQL value; null where it is absent, empty or unfit.

    A number or a truth value written as text counts as what it says; a day counts as its midnight,
    an instant as its day, in UTC.
    """
    key = quoted(field)
    text = text_of(record, field)
    match kind:
        case "string":
            return f"nullif({text}, '')"
        case "integer" | "number":
            return (
                f"(case jsonb_typeof({record} -> {key}) when 'number' then ({record} -> {key})::numeric"
                f" when 'string' then case when {text} ~ '{NUMBER}' then {text}::numeric end end)"
            )
        case "boolean":
            # as records keep it; lower case costs more than all the rest
            kept = f"case {text} when 'true' then true when 'false' then false"
            return f"({kept} else case lower({text}) when 'true' then true when 'false' then false end end)"
        case "date":
            day = f"left({text}, 10)"
            return (
                f"(case when {text} ~ '{DAY}' and pg_input_is_valid({day}, 'date')"
                f" then {day}::date end)"
            )
        case "datetime":
            return (
                f"(case when {text} ~ '{INSTANT}' and pg_input_is_valid({text}, 'timestamptz')"
                f" then {text}::timestamptz end)"
            )
