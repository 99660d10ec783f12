"""A title as it is read: its case and blanks tell nothing, and the same title is read once."""


def folded(title: str) -> str:
    """An example, before it is read: as the stores fold titles (``folded_title`` of migration 0011), but for letters that one of
    the two does not know yet. Whatever is looked up by a title is looked up as Postgres folds it."""
    return " ".join(title.casefold().split())
