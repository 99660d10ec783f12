"""Commands that have a model write: on whose account, what it has cost in words, and what to say where nothing came of it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from caravan.ai.asking import Answer, Asker
from caravan.ai.budget import money
from caravan.ai.unanswered import ModelFailed, NoModel
from caravan.ai.writing import DRAFTS
from caravan.ai_settings import AISettings
from caravan.journeys.workspace import Workspace
from caravan.platform.sandboxes import pairings
from caravan.settings import Settings
from starter.asker import asker
from starter.errors import Failed
from starter.output import say
from starter.session import open_session, run

W = TypeVar("W")

DirOption = Annotated[
    Path, typer.Option("--dir", help="The workspace: a folder of YAML files and templates.")
]
AgainOption = Annotated[
    bool,
    typer.Option("--again", help="Ask anew, though the very same was answered within a day."),
]


def model_settings() -> AISettings:
    """Which model; said first where there is none, for nothing else is of use then.

    Raises:
        NoModel: none is set.
    """
    settings = AISettings.load()
    if settings.model is None:
        raise NoModel
    return settings


def have_written(
    settings: AISettings,
    workspace: Workspace,
    subscription: str | None,
    write: Callable[[Asker], Awaitable[W]],
) -> W:
    """Have a model write for a workspace.

    What it costs is on the account of the subscription that is named, else of the workspace's own, and of the only one
    there is where that has not been applied yet.

    Raises:
        Unanswered: there was no answer.
        Failed: none was valid.
    """

    async def body() -> W:
        async with open_session(subscription or await _own(workspace)) as session:
            with asker(await session.engage(), settings) as asks:
                return await write(asks)

    try:
        return run(body())
    except ModelFailed as error:
        raise _nothing_written(error, settings) from None


async def _own(workspace: Workspace) -> str | None:
    """The subscription of a workspace that has been applied."""
    munchkin = workspace.settings.pair.munchkin
    applied = {row["munchkin"] for row in await pairings(Settings.load().platform_dsn)}
    return munchkin if munchkin in applied else None


def _nothing_written(error: ModelFailed, settings: AISettings) -> Exception:
    """What to say where no draft was valid: the problems of the last, and that nothing was written."""
    if error.wrong is None:
        return error
    for line in error.wrong.splitlines():
        say(line)
    return Failed(
        f"{settings.model} wrote nothing that is valid in {DRAFTS} rounds (above: what is wrong with the last); "
        "nothing was written"
    )


def cost_of(answer: Answer[Any], settings: AISettings) -> str:
    """Model, tokens and cost in a few words."""
    if answer.cached:
        return f"as {answer.model} answered the very same before (--again asks anew)"
    tokens = f"{answer.tokens_in + answer.tokens_out:,} tokens"
    cost = "cost unknown" if answer.cost is None else money(answer.cost, settings)
    return f"by {answer.model}, {tokens}, {cost}"


def told(answer: Answer[Any]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "model": answer.model,
        "digest": answer.digest,
        "cached": answer.cached,
        "tokens_in": answer.tokens_in,
        "tokens_out": answer.tokens_out,
        "cost": answer.cost,
        "call": answer.call,
    }
