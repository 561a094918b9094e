"""The memory budget of the text tower."""

from __future__ import annotations

import pytest

from dapt import environment
from dapt.config import make_config
from dapt.errors import ConfigError
from dapt.model import build
from helpers import tiny_clip


def config(**changes):
    return make_config({"data": "none", "method": "maple", "depth": 3, **changes})


def test_as_configured_or_half_of_what_each_process_has(monkeypatch):
    monkeypatch.setattr(environment, "memory_mb", lambda: 8000.0)
    assert build.text_memory_mb(config(text_memory_mb=100), "cpu") == 100
    assert build.text_memory_mb(config(), "cpu") == 4000
    assert build.text_memory_mb(config(devices=2), "cpu") == 2000
    monkeypatch.setattr(environment, "memory_mb", lambda: None)
    assert build.text_memory_mb(config(), "cpu") is None


def test_the_model_gets_it():
    clip = tiny_clip()
    build.build_model(config(text_memory_mb=7), clip, ["cat", "dog"])
    assert clip.text.memory_mb == 7


def test_nothing_is_refused():
    with pytest.raises(ConfigError, match="text_memory_mb"):
        config(text_memory_mb=0)
