"""Caravan's library: everything that knows nothing of Temporal."""

__version__ = "0.1.0"
