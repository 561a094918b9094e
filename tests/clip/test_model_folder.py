"""The configuration of a model folder: what is accepted, and what is refused before anything is made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dapt.clip.model_folder import check_channels, read_model_config
from dapt.errors import DaptError, ModelError
from helpers import TINY


def folder_of(tmp_path: Path, config: object, weights: int = 10**7) -> Path:
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    with (tmp_path / "open_clip_model.safetensors").open("wb") as file:
        file.truncate(weights)
    return tmp_path


def changed(part: str, key: str, value: Any) -> dict[str, Any]:
    model = json.loads(json.dumps(TINY))
    (model[part] if part else model)[key] = value
    return {"model_cfg": model}


def test_accepted_as_it_is(tmp_path: Path) -> None:
    config = {"model_cfg": TINY, "preprocess_cfg": {"mean": [0, 0.5, -1], "std": [1, 2, 3]}, "more": 1}
    assert read_model_config(folder_of(tmp_path, config)) == config


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [("vision_cfg", "image_size", [32, 64]), ("vision_cfg", "layers", [1, 1, 1, 1]), ("text_cfg", "heads", None)],
)
def test_other_sizes_that_can_be(tmp_path: Path, part: str, key: str, value: Any) -> None:
    read_model_config(folder_of(tmp_path, changed(part, key, value)))


@pytest.mark.parametrize(
    ("part", "key", "value", "message"),
    [
        ("", "embed_dim", None, "names no embed_dim"),
        ("", "embed_dim", 0, "embed_dim is 0, not a whole number from 1 to 100000"),
        ("", "vision_cfg", [], "has no table vision_cfg"),
        ("vision_cfg", "layers", [1, 1], "vision_cfg.layers is"),
        ("vision_cfg", "image_size", [32, -1], "vision_cfg.image_size is"),
        ("vision_cfg", "width", 3.0, "vision_cfg.width is 3.0, not a whole number"),
        ("vision_cfg", "mlp_ratio", True, "vision_cfg.mlp_ratio is"),
        ("text_cfg", "mlp_ratio", -1, "text_cfg.mlp_ratio is -1"),
        ("text_cfg", "context_length", 3, "text_cfg.context_length is 3, not a whole number from 4"),
        ("text_cfg", "heads", True, "text_cfg.heads is"),
        ("text_cfg", "tokenizer_kwargs", [1], "tokenizer_kwargs is no table"),
    ],
)
def test_refused(tmp_path: Path, part: str, key: str, value: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_model_config(folder_of(tmp_path, changed(part, key, value)))


@pytest.mark.parametrize(
    ("preprocess", "message"),
    [([], "preprocess_cfg is no table"), ({"std": [1, 1, 0]}, "not three positive numbers"), ({"mean": [1]}, "mean")],
)
def test_preprocessing_is_checked(tmp_path: Path, preprocess: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_model_config(folder_of(tmp_path, {"model_cfg": TINY, "preprocess_cfg": preprocess}))


def test_the_weights_have_room_for_the_model(tmp_path: Path) -> None:
    """Every number takes a byte at least: words, positions, blocks and projections, counted by hand."""
    text = 4 * 24**2 * (4 + 8) + (49408 + 32) * 24 + 32 * 24
    image = 3 * 32**2 * (4 + 8) + 32 * (3 * 8**2 + 16) + 32 * 32
    read_model_config(folder_of(tmp_path, {"model_cfg": TINY}, weights=text + image))
    with pytest.raises(ModelError, match=f"at least {text + image:,} numbers, and the weights in"):
        read_model_config(folder_of(tmp_path, {"model_cfg": TINY}, weights=text + image - 1))


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"model_cfg": null}'])
def test_files_that_are_no_configuration(tmp_path: Path, content: str) -> None:
    (tmp_path / "open_clip_config.json").write_text(content)
    with pytest.raises(DaptError, match=r"open_clip_config\.json"):
        read_model_config(tmp_path)


def test_channels() -> None:
    assert check_channels([0, -1, 2.5], "x", positive=False) == (0.0, -1.0, 2.5)
    for bad in (None, "abc", [1, 2], [1, 2, 3, 4], [1, 2, "3"], [1, 2, True], [1, 2, float("nan")], [1, 2, 1e7]):
        with pytest.raises(ModelError, match=r"x is .*, not three numbers"):
            check_channels(bad, "x", positive=False)
    with pytest.raises(ModelError, match="not three positive numbers"):
        check_channels([1, 2, 0], "x", positive=True)
