"""What a model is asked for: each can be switched off by itself (AI_FEATURES)."""

from enum import StrEnum


class Feature(StrEnum):
    """A use of models that an operator knows by name."""

    EMAIL = "email"
    JOURNEY = "journey"
    ROLES = "roles"
    DECIDE = "decide"
    SUMMARY = "summary"
    ASK = "ask"
