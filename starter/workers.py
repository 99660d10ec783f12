"""Whether anybody works: what is told where no worker takes from the queues, and how to start one."""

from collections.abc import Sequence

from activities.connection import connect
from activities.pollers import Polled, polled
from caravan.settings import Settings
from caravan.stack.stack import Stack
from starter.output import say
from starter.session import run


async def who_works(settings: Settings) -> list[Polled]:
    """The queues and who polls them."""
    return await polled(await connect(settings))


def nobody_works(settings: Settings, queues: Sequence[Polled]) -> str | None:
    """What to say of queues that no worker polls; None where all are polled."""
    idle = [one.queue for one in queues if not one.workers]
    if not idle:
        return None
    stack = Stack(settings.home)
    here = settings.temporal_address == stack.notes.get("temporal_address")
    if here and stack.runs("worker"):
        log = stack.home / "logs" / "worker.log"
        return (
            f"The worker does not take work yet ({', '.join(idle)}); {log} says why if it stays so"
        )
    roles = "" if len(idle) == len(queues) else f" --roles {','.join(idle)}"
    remedy = "`caravan up`" if here and not roles else f"`python worker.py{roles}`"
    return (
        f"No worker takes from the queues {', '.join(idle)}: what waits there stands still until one "
        f"does; {remedy} starts it"
    )


def tell_if_nobody_works() -> None:
    """After publishing: a line on stderr where accounts would stand still."""

    async def body() -> str | None:
        settings = Settings.load()
        return nobody_works(settings, await who_works(settings))

    told = run(body())
    if told is not None:
        say(told)
