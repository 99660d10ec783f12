"""Whether a template's new copy fits a version that runs: what it speaks of must be known there. Pure."""

from caravan.journeys.liquid import expanded_variables, problem_of, variables
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
    headers = (copy.subject, copy.preheader, copy.from_, copy.reply_to)
    used = [one for text in headers for one in variables(text or "")]
    for one in [*used, *expanded_variables(copy.whole.text)]:
        group = copy.solution_interest is not None
        problem = problem_of(one, plan.catalog, person=True, my=plan.tokens, group=group)
        if problem is not None and problem not in found:
            found.append(problem)
    return found


def _spelt(value: bool) -> str:
    return "true" if value else "false"
