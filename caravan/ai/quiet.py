"""Clients of providers write what they send into their logs, where it is debugging: that is people's data."""

import logging

#: loggers that would show requests, their headers or their answers
CLIENTS = ("openai", "anthropic", "google_genai", "httpx", "httpx2", "httpcore", "httpcore2")


def quieten() -> None:
    """Whatever LOG_LEVEL or a client's own variable says, only what goes wrong is told."""
    for name in CLIENTS:
        logging.getLogger(name).setLevel(logging.WARNING)
