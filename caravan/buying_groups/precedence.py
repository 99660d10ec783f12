"""Who may undo whom: what a user did stands above a journey, and a journey above a job (product.md §3.6).

Journeys and users come through ``may_change``. The job, which nobody is below, moves whole pages at once:
its statements (``put_fitting``, ``take_unfit_out``) say the same as ``source = 'job'``. One thing stands
above all three: whoever is not of the account any more leaves, whoever put them there, and as if the job had
taken them out, so that they come back when they are of the account again.
"""

from typing import Literal

from caravan.journeys.reasons import SkipReason

Source = Literal["manual", "journey", "job"]

RANK: dict[Source, int] = {"job": 1, "journey": 2, "manual": 3}

#: why an actor leaves a membership as it is: somebody above has had a say in it
STANDS_ABOVE: dict[Source, SkipReason] = {
    "manual": SkipReason.MANUAL_MEMBER,
    "journey": SkipReason.JOURNEY_MEMBER,
}


def may_change(actor: Source, source: Source) -> bool:
    """Whether an actor may add, change or remove where ``source`` last had a say, also by a removal."""
    return RANK[actor] >= RANK[source]
