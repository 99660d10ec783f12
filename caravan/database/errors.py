"""Errors of the stores, grouped by what the caller can do.

::

    StoreError
    ├── StoreUnreachable    try again later, or mend the setting it names
    ├── NotOurs             wrong database or pair: refuse to start
    ├── StillRuns           end what it names first
    ├── StoreRestored       `caravan sync restored`
    └── ErasureKeyMissing   set the key (caravan/database/erasures.py)
"""


class StoreError(Exception):
    """A store refused or failed."""


class StoreUnreachable(StoreError):
    """The store could not be reached."""


class NotOurs(StoreError):
    """The schema belongs to another pair."""


class StillRuns(StoreError):
    """Something goes on that has to come to its end before."""


class StoreRestored(StoreError):
    """A store counts its transactions anew: what a reader knows of them is no longer true."""
