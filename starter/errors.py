"""How the CLI fails: one plain sentence with the remedy on stderr, and an exit code.

0 ok · 1 failed · 2 bad input · 130 interrupted. What is none of these errors becomes a sentence in ``sentences``.
"""

FAILED = 1
BAD_INPUT = 2


class UserError(Exception):
    """Something the person at the keyboard can mend; the message says how."""

    exit_code = BAD_INPUT


class Failed(UserError):
    """The input was fine and it did not work all the same."""

    exit_code = FAILED


class Interrupted(UserError):
    """Ctrl-C; the message says what stays and how to go on."""

    exit_code = 130
