"""The engage store: where journeys live and run. SQL in files, one module per aggregate."""

from caravan.database.queries import Queries

sql = Queries.beside(__file__)
