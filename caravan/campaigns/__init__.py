"""What an arrival does to the stores; used by activities and by simulation."""
