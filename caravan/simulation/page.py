"""The page."""
from caravan.simulation.told import Told
def page(told: Told) -> str:
    return ""
