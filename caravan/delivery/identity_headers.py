"""Header fields that say what a mail is part of, for mailboxes and for whoever looks after a sender's name.

None of them names a person. There is no Precedence: it was never standardised, and what it was for List-ID and
Auto-Submitted say.
"""

from hashlib import sha256

from caravan.journeys.plan import SenderDocument


def identity_headers(
    *, munchkin: str, sender: SenderDocument, journey: str, template: str, operational: bool
) -> list[tuple[str, str]]:
    """Further fields of one message, as (name, value).

    Marketing mail bears a List-ID (RFC 2919). The list is the subscription and not the journey, for it is what a
    person leaves by List-Unsubscribe. Operational mail is no list; it says that nobody typed it
    (RFC 3834 §5), so that nobody's absence note answers it – at a List-ID such notes are silent anyway.
    """
    kind = "operational" if operational else "marketing"
    headers = [("Feedback-ID", f"{journey}:{template}:{kind}:{_sender_id(munchkin)}")]
    if operational:
        headers.append(("Auto-Submitted", "auto-generated"))
    elif (domain := _ascii(sender.email.rpartition("@")[2])) is not None:
        headers.append(("List-ID", f"<{munchkin.lower()}.{domain}>"))
    return headers


def _sender_id(munchkin: str) -> str:
    """What Gmail's feedback loop tells senders by: the same for all mail of a subscription, of 5 to 15
    characters (https://support.google.com/a/answer/6254652)."""
    if 5 <= len(munchkin) <= 15:
        return munchkin.lower()
    return f"s{sha256(munchkin.lower().encode()).hexdigest()[:12]}"


def _ascii(domain: str) -> str | None:
    """A domain as a header can bear it; None where there is none."""
    try:
        return domain.lower().encode("idna").decode() or None
    except UnicodeError:
        return None
