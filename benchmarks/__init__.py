"""What Caravan does per second, measured against what the parts below it can do.

``python -m benchmarks`` runs every section on an embedded stack of its own; each section is a file.
"""
