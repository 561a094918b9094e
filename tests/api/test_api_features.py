"""Features from Python."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import dapt


def test_as_the_models_of_the_library_give_them(photos: Path, tiny_spec: str, tmp_path: Path) -> None:
    about = dapt.features(photos, tmp_path / "f.safetensors", model=tiny_spec, split="test", device="cpu")
    found = load_file(tmp_path / "f.safetensors")["features"]
    assert found.shape == (about["images"], about["dimensions"])
    model = dapt.create_model(tiny_spec, "coop", ["a"], device="cpu").eval()
    lines = (tmp_path / "f.csv").read_text().splitlines()[1:]
    files = [photos / line.split(",")[1] for line in lines]
    with torch.no_grad():
        expected = model.encode_image(torch.stack([model.preprocess(file) for file in files]))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_mistakes(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(dapt.DaptError, match="ends neither in"):
        dapt.features(photos, tmp_path / "f.pt", model="demo")
    with pytest.raises(TypeError, match="view"):
        dapt.features(photos, tmp_path / "f.parquet", model="demo", view=3)
