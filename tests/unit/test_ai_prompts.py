"""Prompts: our words with slots for the operator's, which are not looked at again."""

import re
from pathlib import Path

import pytest

from caravan.ai.prompts import FOLDER, BadPrompt, instructions


@pytest.fixture
def prompts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("caravan.ai.prompts.FOLDER", tmp_path)
    (tmp_path / "greet.md").write_text("Greet them {{how}}.\n", encoding="utf-8")
    return tmp_path


@pytest.mark.usefixtures("prompts")
def test_words_are_put_in_as_they_are() -> None:
    assert instructions("greet", {"how": "as {{how}} says"}) == "Greet them as {{how}} says."


@pytest.mark.usefixtures("prompts")
@pytest.mark.parametrize("words", [{}, {"how": "x", "why": "y"}])
def test_slots_and_words_are_the_same(words: dict[str, str]) -> None:
    with pytest.raises(BadPrompt, match="greet: the slots are"):
        instructions("greet", words)


@pytest.mark.usefixtures("prompts")
@pytest.mark.parametrize("name", ["missing", "../prompts/greet", "Greet", ""])
def test_prompt_is_a_file_of_ours(name: str) -> None:
    with pytest.raises(BadPrompt, match="there is no prompt"):
        instructions(name, {})


def test_prompts_are_words_and_lower_case_names() -> None:
    for file in FOLDER.glob("*.md"):
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", file.stem), file.name
        assert file.read_text(encoding="utf-8").strip()
