"""Tokenizers are had without weights, and are those of the whole models."""

from __future__ import annotations

import pytest

from dapt.clip import load_tokenizer as module
from dapt.clip.load import load_clip
from dapt.clip.load_tokenizer import load_tokenizer
from dapt.errors import ModelError


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "load_clip", lambda spec: pytest.fail(f"{spec} was loaded"))


@pytest.mark.parametrize("form", ["folder", "demo"])
def test_of_folders(tiny_spec: str, form: str, no_weights: None) -> None:
    spec = {"folder": tiny_spec, "demo": "demo"}[form]
    found, whole = load_tokenizer(spec), load_clip(spec).tokenizer
    assert found.context_length == whole.context_length == 32
    assert found.pieces("a red square") == whole.pieces("a red square")


@pytest.mark.parametrize("spec", ["ViT-B-16/openai", "ViT-B-16:/no/such/weights.pt", "ViT-L-14/none"])
def test_of_architectures(spec: str, no_weights: None) -> None:
    found = load_tokenizer(spec)
    assert found.context_length == 77
    assert len(found.pieces("golden retriever")) == 2


@pytest.mark.parametrize("spec", ["no-such", "ViT-B-16", "no-such/openai", "no-such:/x.pt", "local-dir:/no/such"])
def test_of_no_model(spec: str) -> None:
    with pytest.raises(ModelError):
        load_tokenizer(spec)
