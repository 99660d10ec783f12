"""Which command a journey takes in which state: the whole table, and why the rest is refused."""

from typing import get_args

import pytest

from caravan.journeys.life_cycle import Command, Refused, State, check

#: per command what it does in draft, scheduled, live, closed, finished, aborted:
#: + changes it, = changes nothing, - is refused
TABLE: dict[Command, str] = {
    "publish": "+==---",
    "pause": "-+++--",
    "resume": "-+++--",
    "close": "--+==-",
    "abort": "-+++-=",
    "delete": "+---++",
}


@pytest.mark.parametrize("command", get_args(Command))
def test_every_command_in_every_state(command: Command) -> None:
    done = ""
    for state in get_args(State):
        try:
            done += "+" if check(command, "nurture", state) else "="
        except Refused as error:
            done += "-" if str(error).startswith("nurture cannot be ") else "?"
    assert done == TABLE[command]
