"""Schemas: what a sandbox or a subscription may be called, and the schema that holds it."""

import re

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,50}", re.IGNORECASE)


def schema_name(prefix: str, name: str, what: str) -> str:
    """The schema of a name: ``sandbox`` and ``EU-1`` make ``sandbox_eu_1``.

    Names that differ in nothing but their case have the same schema.

    Raises:
        ValueError: it is no such name; says ``what`` was expected.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a {what} (letters, digits and dashes)")
    return f"{prefix}_{name.lower().replace('-', '_')}"
