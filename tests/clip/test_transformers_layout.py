"""The transformers layout is the same model under other names: converted exactly, or refused by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from clip_folders import config, in_their_layout
from dapt.clip.load import load_clip
from dapt.clip.transformers_layout import is_transformers, open_clip_config, to_open_clip, weight_files
from dapt.errors import ModelError
from helpers import TINY, tiny_model

TEXT, VISION = TINY["text_cfg"], TINY["vision_cfg"]


def test_every_number_finds_its_place() -> None:
    model = tiny_model()
    theirs = in_their_layout(model)
    assert is_transformers(theirs)
    assert not is_transformers(model.state_dict())
    found, own = to_open_clip(theirs, "it"), model.state_dict()
    assert set(found) == set(own)
    assert all(torch.equal(found[name], own[name]) for name in own)


def test_as_transformers_computes_it(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    made = transformers.CLIPModel(transformers.CLIPConfig(**config())).eval()
    made.save_pretrained(tmp_path / "theirs")
    clip = load_clip(f"local-dir:{tmp_path / 'theirs'}")
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = made.get_image_features(pixel_values=pixels)
    expected = getattr(expected, "pooler_output", expected)
    assert torch.allclose(clip.encode_image(pixels), torch.nn.functional.normalize(expected, dim=-1), atol=1e-5)


def test_other_models_and_holes_are_named() -> None:
    theirs = in_their_layout(tiny_model())
    with pytest.raises(ModelError, match=r"but not of CLIP: it has vision_model\.head\.probe"):
        to_open_clip({**theirs, "vision_model.head.probe": torch.zeros(1)}, "it")
    theirs.pop("text_model.encoder.layers.1.self_attn.k_proj.weight")
    with pytest.raises(ModelError, match=r"incomplete: transformer.resblocks.1.attn.in_proj_weight lacks its k_"):
        to_open_clip(theirs, "it")


def test_the_configuration_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config()))
    found = open_clip_config(tmp_path)
    assert found["model_cfg"]["quick_gelu"] is False
    assert {key: found["model_cfg"]["vision_cfg"][key] for key in VISION} == VISION
    assert {key: found["model_cfg"]["text_cfg"][key] for key in TEXT} == TEXT
    assert found["preprocess_cfg"] == {}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "clip", "text_config_dict": {"hidden_size": 640}}))
    found = open_clip_config(tmp_path)
    assert found["model_cfg"]["quick_gelu"] is True, "what is left out is as OpenAI's"
    assert found["model_cfg"]["text_cfg"]["width"] == 640


def test_pixels_are_prepared_as_the_folder_says(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config()))
    notes = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.2, 0.2, 0.2], "resample": 2, "size": {"shortest_edge": 32}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(notes))
    expected = {"mean": [0.5] * 3, "std": [0.2] * 3, "interpolation": "bilinear"}
    assert open_clip_config(tmp_path)["preprocess_cfg"] == expected
    squash = {**notes, "do_center_crop": False, "size": {"height": 32, "width": 32}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(squash))
    assert open_clip_config(tmp_path)["preprocess_cfg"] == {**expected, "resize_mode": "squash"}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"resample": 4}))
    with pytest.raises(ModelError, match="resample is 4"):
        open_clip_config(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "siglip"}, "of type 'siglip' in the transformers layout, of which only clip"),
        ({"text_config": {"hidden_act": "gelu_new"}}, "hidden_act is"),
        ({"text_config": {"hidden_act": "gelu", "layer_norm_eps": 1e-6}}, "layer_norm_eps is 1e-06"),
        ({"text_config": [1]}, "text_config is no table"),
        ({"vision_config": {"hidden_act": "gelu", "hidden_size": "x"}}, "sizes of the towers are no numbers"),
        ({"vision_config": {"hidden_act": "gelu", "num_attention_heads": 0}}, "sizes of the towers are no numbers"),
    ],
)
def test_what_cannot_be_converted_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config(**changes)))
    with pytest.raises(ModelError, match=message):
        open_clip_config(tmp_path)


def test_weights_in_one_file_or_in_several(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="without weights"):
        weight_files(tmp_path)
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match="lacks 2 of the 2 files of its weights"):
        weight_files(tmp_path)
    for name in index["weight_map"].values():
        (tmp_path / name).touch()
    assert [path.name for path in weight_files(tmp_path)] == sorted(index["weight_map"].values())
    (tmp_path / "model.safetensors").touch()
    assert [path.name for path in weight_files(tmp_path)] == ["model.safetensors"]
