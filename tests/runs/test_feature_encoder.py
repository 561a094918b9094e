"""The tower that features are computed with: of a backbone, or with what a run has learned."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dapt.clip.load import load_clip
from dapt.errors import ConfigError
from dapt.model.classifier import Classifier
from dapt.runs.feature_encoder import open_encoder
from dapt.runs.load_run import load_run

PIXELS = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("unit_length", [True, False])
def test_a_backbone(tiny_spec: str, unit_length: bool) -> None:
    encoder = open_encoder(tiny_spec, unit_length=unit_length, device="cpu")
    clip = load_clip(tiny_spec)
    with torch.no_grad():
        expected = clip.encode_image(PIXELS) if unit_length else clip.image.encode(PIXELS)
    assert torch.equal(encoder(PIXELS), expected)
    assert encoder.dimensions() == 32
    assert encoder.made_with["unit_length"] is unit_length
    assert encoder.made_with["precision"] == "32"


def test_a_run(run: Path, tiny_spec: str) -> None:
    encoder = open_encoder(run=run, device="cpu")
    model, _ = load_run(run, device="cpu")
    with torch.no_grad():
        expected = Classifier(model).features(PIXELS)
    assert torch.equal(encoder(PIXELS), expected)
    plain = open_encoder(tiny_spec, device="cpu")
    assert not torch.allclose(plain(PIXELS), expected)
    assert encoder.made_with["method"] == "maple"
    raw = open_encoder(run=run, unit_length=False, device="cpu")(PIXELS)
    torch.testing.assert_close(raw / raw.norm(dim=1, keepdim=True), expected)


def test_a_run_has_its_own_precision(run: Path) -> None:
    with pytest.raises(ConfigError, match="its own precision"):
        open_encoder(run=run, precision="bf16")


def test_half_precision_gives_float32(tiny_spec: str) -> None:
    found = open_encoder(tiny_spec, precision="bf16", device="cpu")(PIXELS)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))
