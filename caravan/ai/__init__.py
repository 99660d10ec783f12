"""Asking models: budget, log, cache and the fence around data. Everything else works without any of it."""
