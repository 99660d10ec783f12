"""Activities in words."""

from collections.abc import Mapping
from typing import Any

#: activities in words, with the field that says about what
WORDS = {
    "email_opened": ("opened the e-mail", "template"),
    "email_clicked": ("clicked in the e-mail", "template"),
    "email_unsubscribed": ("unsubscribed", None),
    "sms_clicked": ("clicked in a text message", None),
    "page_visited": ("visited", "url"),
    "form_filled": ("filled in the form", "form"),
    "event_registered": ("registered for", "event_name"),
    "event_attended": ("attended", "event_name"),
}


def in_words(kind: str, fields: Mapping[str, Any]) -> str:
    """What was done, and with what."""
    words, field = WORDS.get(kind, (kind.replace("_", " "), None))
    about = fields.get(field) if field else None
    return f"{words} {about}" if about else words
