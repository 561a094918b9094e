"""What is checked of a model folder in open_clip's format before anything is made of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dapt.errors import ModelError
from dapt.files import read_json
from dapt.strict import shown

CONFIG = "open_clip_config.json"
WEIGHTS = ("*.safetensors", "*.bin", "*.pt*")

# The smallest and the greatest that each size may be.
_SIZES: dict[str, dict[str, tuple[int, int]]] = {
    "": {"embed_dim": (1, 100_000)},
    "vision_cfg": {
        "width": (1, 100_000),
        "head_width": (1, 100_000),
        "patch_size": (1, 10_000),
        "attn_pooler_queries": (1, 10_000),
        "attn_pooler_heads": (1, 1000),
    },
    "text_cfg": {
        "context_length": (4, 10_000),
        "vocab_size": (1, 10_000_000),
        "width": (1, 100_000),
        "heads": (1, 1000),
        "layers": (1, 1000),
    },
}
_DEFAULTS = {
    "vision_cfg": {"layers": 12, "width": 768, "patch_size": 16, "image_size": 224, "mlp_ratio": 4.0},
    "text_cfg": {"layers": 12, "width": 512, "context_length": 77, "vocab_size": 49408, "mlp_ratio": 4.0},
}


def read_model_config(folder: Path) -> dict[str, Any]:
    """The configuration of a model folder, whose sizes are such that its weights can be of them.

    Raises:
        DaptError: it cannot be read. ModelError: a part or a size is missing, of another kind or absurd, or the model
            would have more numbers than the weight files have bytes.
    """
    return check_model_config(read_json(folder / CONFIG), folder / CONFIG, folder)


def check_model_config(config: Any, path: Path, folder: Path) -> dict[str, Any]:
    """A configuration in open_clip's form, if its sizes are such that the weights in a folder can be of them.

    Args:
        path: where it is from, for messages. folder: of the weights.

    Raises:
        ModelError: see `read_model_config`.
    """
    model = _table(config, "model_cfg", path)
    parts = {"": model, **{name: _table(model, name, path) for name in ("vision_cfg", "text_cfg")}}
    if model.get("embed_dim") is None:
        raise ModelError(f"{path} names no embed_dim.", todo="Copy the whole folder again.")
    for name, bounds in _SIZES.items():
        for key, (low, high) in bounds.items():
            if parts[name].get(key) is not None:
                _check_whole(parts[name][key], f"{name}.{key}".lstrip("."), low, high, path)
    for name in ("vision_cfg", "text_cfg"):
        ratio = parts[name].get("mlp_ratio", 4.0)
        if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 0 < ratio <= 1000:
            raise ModelError(f"{path}: {name}.mlp_ratio is {shown(ratio)}, not a number from 0 to 1000.")
    vision = parts["vision_cfg"]
    _check_whole(vision.get("layers", 12), "vision_cfg.layers", 1, 1000, path, several=(4,))
    _check_whole(vision.get("image_size", 224), "vision_cfg.image_size", 1, 10_000, path, several=(2,))
    if not isinstance(parts["text_cfg"].get("tokenizer_kwargs") or {}, dict):
        raise ModelError(f"{path}: text_cfg.tokenizer_kwargs is no table.")
    _check_preprocess(config.get("preprocess_cfg"), path)
    _check_room(folder, parts, path)
    return dict(config)


def _table(config: Any, name: str, path: Path) -> Mapping[str, Any]:
    part = config.get(name) if isinstance(config, dict) else None
    if not isinstance(part, dict):
        raise ModelError(f"{path} has no table {name}.", todo="Copy the whole folder again.")
    return part


def _check_whole(value: Any, name: str, low: int, high: int, path: Path, several: tuple[int, ...] = ()) -> None:
    values = value if several and isinstance(value, list) and len(value) in several else [value]
    for one in values:
        if isinstance(one, bool) or not isinstance(one, int) or not low <= one <= high:
            raise ModelError(f"{path}: {name} is {shown(value)}, not a whole number from {low} to {high}.")


def _check_preprocess(given: Any, path: Path) -> None:
    if given is None:
        return
    if not isinstance(given, dict):
        raise ModelError(f"{path}: preprocess_cfg is no table.")
    for key in ("mean", "std"):
        if given.get(key) is not None:
            check_channels(given[key], f"{path}: preprocess_cfg.{key}", positive=key == "std")


def check_channels(values: Any, where: str, *, positive: bool) -> tuple[float, ...]:
    """Three finite numbers, one for each channel; `positive`: greater than 0.

    Raises:
        ModelError: they are something else.
    """
    good = isinstance(values, (list, tuple)) and len(values) == 3
    for value in values if good else ():
        real = isinstance(value, (int, float)) and not isinstance(value, bool)
        good = good and real and math.isfinite(value) and abs(value) <= 1e6 and (value > 0 or not positive)
    if not good:
        kind = "positive numbers" if positive else "numbers"
        raise ModelError(f"{where} is {shown(values)}, not three {kind}.")
    return tuple(float(value) for value in values)


def _check_room(folder: Path, parts: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Refuse towers that have more numbers than the weight files bytes, before memory is taken for them."""
    bytes_there = sum(file.stat().st_size for pattern in WEIGHTS for file in folder.glob(pattern))
    needed = 0
    for name, count in (("vision_cfg", _vision_numbers), ("text_cfg", _text_numbers)):
        if not parts[name].get("timm_model_name") and not parts[name].get("hf_model_name"):
            given = {key: value for key, value in parts[name].items() if value is not None}
            needed += count({**_DEFAULTS[name], **given}) + parts[""]["embed_dim"] * int(given.get("width", 1))
    if needed > bytes_there:
        raise ModelError(
            f"{path} describes a model of at least {needed:,} numbers, and the weights in {folder} have "
            f"{bytes_there:,} bytes.",
            todo="The configuration or the weights are damaged, or belong to another model: copy the folder again.",
        )


def _vision_numbers(part: Mapping[str, Any]) -> int:
    """A lower bound: attention and MLP of each block, patches, positions; of a ResNet its 3 x 3 convolutions."""
    layers, width, patch = part["layers"], int(part["width"]), int(part["patch_size"])
    if isinstance(layers, list):
        return 9 * width**2 * int(sum(layers))
    size = part["image_size"]
    height, breadth = size if isinstance(size, list) else (size, size)
    patches = int(height // patch) * int(breadth // patch)
    return _blocks(layers, width, part["mlp_ratio"]) + width * (3 * patch**2 + patches)


def _text_numbers(part: Mapping[str, Any]) -> int:
    """A lower bound: attention and MLP of each block, words, positions."""
    width = int(part["width"])
    words = part["vocab_size"] + part["context_length"]
    return _blocks(part["layers"], width, part["mlp_ratio"]) + int(words) * width


def _blocks(layers: int, width: int, ratio: float) -> int:
    return int(layers * width**2 * (4 + 2 * min(ratio, 1000)))
