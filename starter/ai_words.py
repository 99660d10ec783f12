"""Words of an operator for a model: there are some, not too many, and all of them are text."""

from starter.errors import UserError


def words_of(what: str, text: str, longest: int) -> str:
    """What an operator asks for, if there is something to go by.

    Raises:
        UserError: there is nothing, too much, or what is no text; ``what`` says of what.
    """
    if not text.strip():
        raise UserError(f"{what} is empty; say what is wanted")
    if len(text) > longest:
        raise UserError(f"{what} has {len(text):,} characters; at most {longest:,}")
    return ensure_text(what, text.strip())


def ensure_text(what: str, text: str) -> str:
    """Text, which bytes of another encoding than the terminal's are not: they come as halves of surrogates.

    Raises:
        UserError: it is none.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UserError(
            f"{what} has bytes that are no text here; write it in UTF-8, on a terminal whose locale is UTF-8 (LC_ALL=C.UTF-8)"
        ) from None
    return text
