"""The HTTP edge: what recipients and machines outside say to us. It records, and decides nothing."""
