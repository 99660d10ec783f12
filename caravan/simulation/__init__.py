"""Journeys in virtual time: the same core, campaigns and SQL, without Temporal and without waiting."""

from caravan.database.queries import Queries

sql = Queries.beside(__file__)
