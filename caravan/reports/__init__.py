"""Reports of what was sent and what came of journeys: counts, rates, and what may be concluded."""
