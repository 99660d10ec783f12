"""What can go wrong with an outside service, grouped by what the caller can do.

::

    ServiceError
    ├── TryLater            nothing was accepted; the same request may be made again
    │   ├── Unreachable     no connection, no answer in time, or an answer that says later
    │   └── OperatorsTurn   a setting, a secret or a permission is missing: it says which
    └── Refused             a definite no, or an answer that breaks the contract

Messages go into histories and logs: they name hosts and settings, never secrets or people.
"""


class ServiceError(Exception):
    """A service could not be asked."""


class TryLater(ServiceError):
    """Nothing was accepted; the same request may be made again."""


class Unreachable(TryLater):
    """No connection, no answer in time, or an answer that says later."""


class OperatorsTurn(TryLater):
    """The operator has not allowed it, or has not set what it needs."""


class Refused(ServiceError):
    """A definite no, or an answer that breaks the contract."""


class BadCallback(ServiceError):
    """A callback that does not say what the contract asks; the message says where."""
