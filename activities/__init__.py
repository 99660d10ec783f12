"""Thin Temporal shells over the library, with injected dependencies."""
