"""The Platform store: the source of truth for accounts, people, opportunities and their relations."""

from caravan.database.queries import Queries

sql = Queries.beside(__file__)
