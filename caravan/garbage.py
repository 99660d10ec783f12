"""How often a process of ours looks for garbage that is in cycles.

Rows, steps and messages come and go by the thousand, and nearly none of it is in a cycle. By default Python looks after every
700 objects, and through all there are again and again: a sixth of the processor's time of a sync or a simulation.
"""

import gc

#: objects that have come and not gone; as often the younger ones are looked through before the older ones are. So a
#: process has some 90,000 objects of garbage at most. With 10,000 a worker of 5,000 waiting accounts takes 70 MiB more
#: and nothing is faster
THRESHOLDS = (3_000, 10, 3)


def collect_seldom() -> None:
    """For a process, once, when it has loaded what it needs: all there is by now stays, and is not looked through again."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
