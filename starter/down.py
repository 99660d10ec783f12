"""``caravan down``: stop what ``up`` started; the data stays."""

from caravan.settings import read_environment
from caravan.stack.stack import Stack
from starter.output import plainly


def down() -> None:
    """Stop the embedded stack and its worker. Data under .caravan/ stays; `caravan up` goes on."""
    home = read_environment().caravan_home
    stack = Stack(home)
    if not any(part.running for part in stack.status()):
        plainly(f"Nothing runs under {home}")
    stack.stop(say=plainly)
