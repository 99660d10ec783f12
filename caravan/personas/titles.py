"""A title as it is read: its case and blanks tell nothing, and the same title is read once."""


def folded(title: str) -> str:
    """As the stores fold titles (``folded_title`` of migration 0011); examples are folded the same before they are read."""
    return " ".join(title.casefold().split())
