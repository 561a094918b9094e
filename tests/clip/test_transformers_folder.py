"""A model folder, or a weight file, in the transformers layout gives the features of the model it was made of."""

from __future__ import annotations

import json
from pathlib import Path

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from clip_folders import in_their_layout, write_folder
from dapt.clip.load import load_clip
from dapt.clip.transformers_folder import has_transformers_model
from dapt.errors import ModelError
from helpers import TINY, tiny_model

ARCHITECTURE = "tiny-for-their-layout"


@pytest.fixture(scope="module", autouse=True)
def architecture(tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("configs") / f"{ARCHITECTURE}.json"
    path.write_text(json.dumps(TINY))
    open_clip.add_model_config(path)


def same_features(clip, *, quick_gelu: bool) -> None:
    model = tiny_model(quick_gelu=quick_gelu).eval()
    model.load_state_dict(tiny_model().state_dict())
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    tokens = clip.tokenizer.plain(["a cat", "two dogs on a hill"])
    with torch.no_grad():
        image, text = model.encode_image(pixels, normalize=True), model.encode_text(tokens.ids, normalize=True)
    assert torch.allclose(clip.encode_image(pixels), image, atol=1e-5)
    assert torch.allclose(clip.encode_text(tokens), text, atol=1e-5)


@pytest.mark.parametrize("quick", [False, True])
def test_a_folder(tmp_path: Path, capsys, quick: bool) -> None:
    folder = write_folder(tmp_path / "theirs", tiny_model(), act="quick_gelu" if quick else "gelu")
    assert has_transformers_model(folder)
    clip = load_clip(f"local-dir:{folder}")
    same_features(clip, quick_gelu=quick)
    assert clip.spec == f"local-dir:{folder}"
    assert "theirs: a model in the transformers layout, converted" in capsys.readouterr().err
    half = load_clip(f"local-dir:{folder}", precision="bf16")
    assert half.fingerprint() == clip.fingerprint()


def test_a_file_beside_its_configuration(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "theirs", tiny_model(), act="quick_gelu")
    same_features(load_clip(f"{ARCHITECTURE}:{folder / 'model.safetensors'}"), quick_gelu=True)
    wrapped = {f"module.{name}": value for name, value in in_their_layout(tiny_model()).items()}
    torch.save({"state_dict": wrapped}, folder / "ddp.pt")
    same_features(load_clip(f"{ARCHITECTURE}:{folder / 'ddp.pt'}"), quick_gelu=True)


def test_a_file_alone_does_not_tell_its_activation(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file(in_their_layout(tiny_model()), str(path))
    with pytest.raises(ModelError, match=rf"transformers layout[\s\S]*Put config.json[\s\S]*{ARCHITECTURE}-quickgelu:"):
        load_clip(f"{ARCHITECTURE}:{path}")
    with pytest.raises(ModelError, match=r"has no open_clip_config.json. Its model.safetensors is in the transformers"):
        load_clip(f"local-dir:{tmp_path}")


def test_holes_and_other_vocabularies_are_told(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "theirs", tiny_model())
    words = {word: number for word, number in open_clip.SimpleTokenizer().encoder.items() if number < 49406}
    (folder / "vocab.json").write_text(json.dumps(words))
    load_clip(f"local-dir:{folder}")
    (folder / "vocab.json").write_text(json.dumps({**words, "cat</w>": 1}))
    with pytest.raises(ModelError, match="a vocabulary of its own, not CLIP's of 49408 words"):
        load_clip(f"local-dir:{folder}")
    (folder / "vocab.json").unlink()
    theirs = in_their_layout(tiny_model())
    theirs.pop("visual_projection.weight")
    save_file(theirs, str(folder / "model.safetensors"))
    with pytest.raises(ModelError, match=r"do not fit its configuration: missing visual\.proj"):
        load_clip(f"local-dir:{folder}")
    save_file({"weight": torch.zeros(40_000_000, dtype=torch.uint8)}, str(folder / "model.safetensors"))
    with pytest.raises(ModelError, match="are not in the transformers layout"):
        load_clip(f"local-dir:{folder}")
    save_file({"weight": torch.zeros(2)}, str(folder / "model.safetensors"))
    with pytest.raises(ModelError, match="describes a model of at least"):
        load_clip(f"local-dir:{folder}")
