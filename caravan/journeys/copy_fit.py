"""Whether a template's new copy fits a version that runs: what it speaks of must be known there. Pure."""

from caravan.journeys.liquid import problem_of, variables
from caravan.journeys.plan import Plan
from caravan.journeys.templates import TemplateDocument


def misfits(copy: TemplateDocument, plan: Plan) -> list[str]:
    """Why a message of this plan cannot be written with the copy; none where it fits.

    Only the copy may change: whom a mail is for stays as it was published, and with it ``operational``.
    """
    found = []
    if copy.operational != plan.templates[copy.email].operational:
        found.append(f"operational was {_spelt(plan.templates[copy.email].operational)} there")
    if not plan.sender.email and not copy.from_:
        found.append("there is no sender there, and the template names none")
    for text in (copy.subject, copy.preheader, copy.from_, copy.reply_to, copy.body):
        for used in variables(text or ""):
            problem = problem_of(used, plan.catalog, person=True, my=plan.tokens)
            if problem is not None and problem not in found:
                found.append(problem)
    return found


def _spelt(value: bool) -> str:
    return "true" if value else "false"
