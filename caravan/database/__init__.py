"""Postgres as both stores use it: pools, named SQL, migrations, the outbox."""
