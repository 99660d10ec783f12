"""The embedded stack: Postgres, Temporal with its Web UI, mail capture."""
