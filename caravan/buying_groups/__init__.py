"""Buying groups over the engage store: who is in them, how complete and engaged they are, their stages.

Nothing here records activities: what happened to a group is given back as happenings, which the caller
records in the same transaction. Buying-group data never leaves this store.
"""
