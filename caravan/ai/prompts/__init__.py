"""The instructions that models are given: one file a prompt, in our words, with slots for the operator's."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

#: where the prompts are
FOLDER = Path(__file__).parent

_SLOT = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")


class BadPrompt(Exception):
    """A prompt is missing, or its slots are not the words that were given: a fault of ours."""


def instructions(name: str, words: Mapping[str, str]) -> str:
    """The text of a prompt with the operator's words in its slots; what they say is not looked at again.

    Raises:
        BadPrompt: there is no such prompt, or the words do not fit its slots.
    """
    text = _text(FOLDER, name)
    slots = set(_SLOT.findall(text))
    if slots != set(words):
        raise BadPrompt(f"{name}: the slots are {sorted(slots)}, the words {sorted(words)}")
    return _SLOT.sub(lambda slot: words[slot[1]], text).strip()


@cache
def _text(folder: Path, name: str) -> str:
    file = folder / f"{name}.md"
    if not re.fullmatch(r"[a-z][a-z_]*", name) or not file.is_file():
        raise BadPrompt(f"there is no prompt {name}")
    return file.read_text(encoding="utf-8")
