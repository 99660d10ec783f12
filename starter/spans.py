"""How long something lasted, in the two largest units that matter."""

from datetime import timedelta


def span(lasted: timedelta) -> str:
    """``3 days 4 h``, ``5 h 20 min``, ``40 s``."""
    seconds = int(lasted.total_seconds())
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    if days:
        told = f"{days} day{'' if days == 1 else 's'}"
        return f"{told} {hours} h" if hours and days < 14 else told
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"
