"""Breaking a coroutine off at any of its rests: between any two steps that it takes with the stores."""

from collections.abc import Callable, Coroutine, Generator
from typing import Any


class Interrupted:
    """Awaits ``coroutine`` and strikes when it comes to rest for the ``at``-th time (0: never).

    What it had asked of a store by then is on its way: whether it is done, nobody knows, as with a process that
    is killed. ``strike`` cancels the task, say, or cuts the connections.
    """

    def __init__(
        self, coroutine: Coroutine[Any, Any, Any], at: int, strike: Callable[[], object]
    ) -> None:
        self._coroutine = coroutine
        self._at = at
        self._strike = strike
        self.rests = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        go_on: Callable[[Any], Any] = self._coroutine.send
        told: Any = None
        while True:
            try:
                resting = go_on(told)
            except StopIteration as done:
                return done.value
            self.rests += 1
            if self.rests == self._at:
                self._strike()
            try:
                told = yield resting
                go_on = self._coroutine.send
            except BaseException as error:
                told, go_on = error, self._coroutine.throw
