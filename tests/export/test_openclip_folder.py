"""A folder that open_clip loads by itself, with the preprocessing and the vocabulary of the backbone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import open_clip
import pytest
import torch
from PIL import Image

from dapt.clip.load import load_clip
from dapt.errors import NotSupportedError
from dapt.export.openclip_folder import model_config, open_folder, write_folder
from helpers import REPOSITORY, draw


def test_it_is_loaded_by_open_clip(tiny_spec: str, tmp_path: Path) -> None:
    clip = load_clip(tiny_spec)
    write_folder(tmp_path, clip.model, clip)
    encode, pixels_of = open_folder(tmp_path)
    picture, _ = draw("red_square", 1)
    pixels = pixels_of(picture)
    with torch.no_grad():
        assert torch.allclose(encode(pixels), clip.image.encode(pixels), atol=1e-5)
    tokens = open_clip.get_tokenizer(f"local-dir:{tmp_path}")(["a red square"])
    assert torch.equal(tokens, clip.tokenizer.own(["a red square"]))


def test_the_bundled_model_brings_its_vocabulary(tmp_path: Path) -> None:
    clip = load_clip("demo")
    write_folder(tmp_path, clip.model, clip)
    again = load_clip(f"local-dir:{tmp_path}")
    assert again.fingerprint() == clip.fingerprint()
    expected = clip.tokenizer.own(["a cat"])
    assert torch.equal(again.tokenizer.own(["a cat"]), expected)
    name = "bpe_vocab.txt.gz"  # as docs/export.md says: open_clip takes a relative name from the working directory
    tokenizer = open_clip.get_tokenizer(f"local-dir:{tmp_path}", bpe_path=str(tmp_path / name))
    assert torch.equal(tokenizer(["a cat"]), expected)
    assert f'bpe_path="exported/{name}"' in (REPOSITORY / "docs" / "export.md").read_text(encoding="utf-8")


def test_preprocessing_is_that_of_the_model(tiny_spec: str, tmp_path: Path) -> None:
    clip = load_clip(tiny_spec)
    clip.preprocess = replace(clip.preprocess, resize_mode="squash", mean=(0.1, 0.2, 0.3))
    write_folder(tmp_path, clip.model, clip)
    assert load_clip(f"local-dir:{tmp_path}").preprocess == clip.preprocess
    assert json.loads((tmp_path / "open_clip_config.json").read_text())["preprocess_cfg"]["mean"] == [0.1, 0.2, 0.3]
    assert open_folder(tmp_path)[1](Image.new("RGB", (90, 40))).shape == (1, 3, 32, 32)


@pytest.mark.parametrize(
    ("spec", "layers"), [("ViT-B-32/openai", 12), ("ViT-B-32:/weights.pt", 12), ("ViT-L-14/laion2b_s32b_b82k", 24)]
)
def test_configurations_by_name(spec: str, layers: int) -> None:
    class QuickGELU(torch.nn.Module):
        pass

    clip = SimpleNamespace(spec=spec, model=QuickGELU() if "openai" in spec else torch.nn.GELU())
    config = model_config(clip)  # type: ignore[arg-type]
    assert config["vision_cfg"]["layers"] == layers
    assert config.get("quick_gelu", False) == ("openai" in spec)


def test_an_unknown_configuration() -> None:
    with pytest.raises(NotSupportedError, match="is not known to open_clip"):
        model_config(SimpleNamespace(spec="nobody/knows", model=None))  # type: ignore[arg-type]
