"""Caravan's library: everything that knows nothing of Temporal."""
