"""Tests of all tiers."""

import os

# processes that run tests side by side are told a width, and output into a pipe is not broken without one
os.environ.pop("COLUMNS", None)
