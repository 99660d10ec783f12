"""Logs: structlog everywhere, JSON for machines and colours for people.

Records of the standard library (Temporal's, asyncpg's) go through the same renderer, with the
workflow and activity they belong to.
"""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor

SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


FIRST = ("timestamp", "level", "logger", "event")


def _in_reading_order(_logger: object, _method: str, event: EventDict) -> EventDict:
    """When, how bad, who and what; then what is bound, the traversal and its node among it."""
    return {key: event.pop(key) for key in FIRST if key in event} | dict(event)


def configure_logs(level: str = "info", form: str = "auto") -> None:
    """Set the process's logs up once.

    Args:
        level: debug, info, warning or error.
        form: ``json``, ``console``, or ``auto``: console on a terminal.
    """
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    renderer: Processor = (
        # plain tracebacks: rich ones print local variables, and those hold people
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        if console
        else structlog.processors.JSONRenderer()
    )
    before: list[Processor] = (
        [] if console else [structlog.processors.format_exc_info, _in_reading_order]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                *SHARED,
                structlog.stdlib.ExtraAdder(allow={"temporal_workflow", "temporal_activity"}),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *before,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # it repeats every second, with a traceback, what the activities say once: a store is away
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
