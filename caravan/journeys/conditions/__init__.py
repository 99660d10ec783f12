"""Conditions: read, kept as data, compiled to SQL."""
