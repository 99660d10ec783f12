"""Binds the traversal, node, activity and attempt to every log line an activity writes."""

import asyncio
import logging
from typing import Any

import structlog
from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

#: what a request may say of whom it is about; ids only, as everything in Temporal
OF_REQUEST = {
    "munchkin": "munchkin",
    "journey_id": "journey",
    "traversal_id": "traversal",
    "node": "node",
    "step_no": "step",
}


class LogContext(Interceptor):
    """Worker interceptor."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Bound(next)


class _Bound(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        request = input.args[0] if input.args else None
        bound = {
            "activity": info.activity_type,
            "workflow_id": info.workflow_id,
            "attempt": info.attempt,
            **{name: getattr(request, field, None) for field, name in OF_REQUEST.items()},
        }
        with structlog.contextvars.bound_contextvars(
            **{key: value for key, value in bound.items() if value not in (None, "")}
        ):
            return await super().execute_activity(input)


def leave_failures_to_us() -> None:
    """Keep Temporal's loggers from repeating what ``activities.failures`` has said, with tracebacks."""
    activity.logger.activity_info_on_message = False
    workflow.logger.workflow_info_on_message = False
    activity.logger.base_logger.addFilter(_not_told)


def _not_told(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, ApplicationError | asyncio.CancelledError)
