"""Asking nobody: what a simulation does in place of calling services.

Every request is accepted and no definition is known, so nothing is checked against one; answers come
from the simulation's events (``caravan.campaigns.callbacks.answer_for``).
"""

from caravan.journeys.service import Service
from caravan.services.definition import Definition
from caravan.services.request import Question


class Silence:
    """An ``Exchange`` without a service behind it."""

    async def definition(self, service: Service) -> Definition | None:
        return None

    async def submit(
        self, service: Service, definition: Definition | None, question: Question, request_id: str
    ) -> None:
        return None
