"""Documents against the schema that editors use."""

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from caravan.journeys.schema import json_schema
from caravan.journeys.source import read_documents


@cache
def _validator() -> Draft202012Validator:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def fits_schema(document: Any) -> bool:
    """Whether an editor would find nothing wrong with a document."""
    return bool(_validator().is_valid(document))


def misfits(text: str) -> list[Any]:
    """The documents of a text that do not fit the schema."""
    sources, _ = read_documents(text)
    return [one.data for one in sources if one.data is not None and not fits_schema(one.data)]
