"""What can go wrong on the way out, grouped by what the caller can do.

::

    DeliveryError
    ├── RelayUnreachable   nothing was handed over: try again later
    ├── UnfitText          the text cannot be rendered with this data: mend the template
    └── UnfitValue         what came out does not fit the field: mend the value
"""


class DeliveryError(Exception):
    """A message or text could not be made or delivered."""


class RelayUnreachable(DeliveryError):
    """The relay cannot be reached, or would not talk; nothing was handed over."""


class UnfitText(DeliveryError):
    """A Liquid text could not be rendered."""


class UnfitValue(DeliveryError):
    """A rendered value does not fit its field."""
