"""Nothing but the embedded stack: for what must not reach the servers that settings may name."""

import os
from pathlib import Path

from caravan.settings import FROM_STACK, SECRETS

#: how servers are reached; what they are reached for (POOL_SIZE, STEP_MODE …) stays as it is set
CONNECTIONS = (*FROM_STACK, *SECRETS, "temporal_namespace", "temporal_tls")


def stay_embedded(home: Path) -> list[str]:
    """Make this process and its children use the stack under ``home`` alone.

    Returns:
        The variables that were set and are left out.
    """
    left_out = []
    for setting in dict.fromkeys(CONNECTIONS):
        for variable in (setting.upper(), f"{setting.upper()}_FILE"):
            if os.environ.pop(variable, None):
                left_out.append(variable)
    os.environ["CARAVAN_HOME"] = str(home)
    return left_out
