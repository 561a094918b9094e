"""CLIP in the layout of the transformers library: other names for the same numbers, and another configuration.

The towers are the same (OpenAI's), so the conversion is exact: queries, keys and values below each other make the
input projection, and the two projections are transposed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dapt.errors import ModelError, NotSupportedError
from dapt.files import read_json
from dapt.strict import shown

CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_MARKS = ("text_model.encoder.", "text_model.embeddings.", "vision_model.encoder.", "vision_model.embeddings.")
_TOP = {
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm.weight": "ln_final.weight",
    "text_model.final_layer_norm.bias": "ln_final.bias",
    "vision_model.embeddings.class_embedding": "visual.class_embedding",
    "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
    "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    "vision_model.pre_layrnorm.weight": "visual.ln_pre.weight",  # spelled so there
    "vision_model.pre_layrnorm.bias": "visual.ln_pre.bias",
    "vision_model.post_layernorm.weight": "visual.ln_post.weight",
    "vision_model.post_layernorm.bias": "visual.ln_post.bias",
    "logit_scale": "logit_scale",
}
_TRANSPOSED = {"text_projection.weight": "text_projection", "visual_projection.weight": "visual.proj"}
_COUNTERS = re.compile(r"(text|vision)_model\.embeddings\.position_ids")  # 0, 1, 2, ...
_LAYER = re.compile(r"(text|vision)_model\.encoder\.layers\.(\d+)\.(.+)\.(weight|bias)")
_BLOCK = re.compile(r"(visual\.)?transformer\.resblocks\.(\d+)\.(.+)")
_IN_LAYER = {
    "self_attn.out_proj": "attn.out_proj",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}
_TOWER = {"text": "transformer", "vision": "visual.transformer"}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "text": {
        **{"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 12, "num_attention_heads": 8},
        **{"max_position_embeddings": 77, "vocab_size": 49408, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5},
    },
    "vision": {
        **{"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12},
        **{"image_size": 224, "patch_size": 32, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5},
    },
}
_RESAMPLE = {0: "nearest", 2: "bilinear", 3: "bicubic"}  # Pillow's numbers


def is_transformers(names: Iterable[str]) -> bool:
    """Whether a state dict with these names is in the layout of transformers."""
    return any(name.startswith(_MARKS) for name in names)


def to_open_clip(weights: Mapping[str, Tensor], what: str) -> dict[str, Tensor]:
    """The weights under open_clip's names.

    Args:
        what: where they are from, for messages.

    Raises:
        ModelError: there are some that CLIP does not have, or queries without keys and values.
    """
    found: dict[str, Tensor] = {}
    parts: dict[str, dict[str, Tensor]] = {}
    for name, value in weights.items():
        layer = _LAYER.fullmatch(name)
        if name in _TOP:
            found[_TOP[name]] = value
        elif name in _TRANSPOSED:
            found[_TRANSPOSED[name]] = value.t().contiguous() if value.dim() == 2 else value
        elif layer and layer[3] in _IN_LAYER:
            found[f"{_TOWER[layer[1]]}.resblocks.{layer[2]}.{_IN_LAYER[layer[3]]}.{layer[4]}"] = value
        elif layer and layer[3] in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"):
            target = f"{_TOWER[layer[1]]}.resblocks.{layer[2]}.attn.in_proj_{layer[4]}"
            parts.setdefault(target, {})[layer[3][10]] = value
        elif not _COUNTERS.fullmatch(name):
            raise ModelError(
                f"{what} is in the transformers layout, but not of CLIP: it has {name}.",
                todo="Of other models (SigLIP, ...) use open_clip's own files: hf-hub:OWNER/NAME or ARCH/tag.",
            )
    for target, three in parts.items():
        lacking = [f"{letter}_proj" for letter in "qkv" if letter not in three]
        if lacking:
            raise ModelError(f"{what} is in the transformers layout and incomplete: {target} lacks its {lacking[0]}.")
        found[target] = torch.cat([three[letter] for letter in "qkv"])
    return found


def to_transformers(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of an open_clip CLIP under the names of transformers: the inverse of `to_open_clip`.

    Raises:
        NotSupportedError: there are some that the CLIP of transformers does not have.
    """
    ours = {value: key for key, value in _TOP.items()}
    turned = {value: key for key, value in _TRANSPOSED.items()}
    inside = {value: key for key, value in _IN_LAYER.items()}
    found: dict[str, Tensor] = {}
    for name, value in weights.items():
        block = _BLOCK.fullmatch(name)
        part, _, kind = block[3].rpartition(".") if block else ("", "", "")
        layer = f"{'vision' if block[1] else 'text'}_model.encoder.layers.{block[2]}" if block else ""
        if name in ours:
            found[ours[name]] = value
        elif name in turned:
            found[turned[name]] = value.t()
        elif part in inside:
            found[f"{layer}.{inside[part]}.{kind}"] = value
        elif block and block[3].startswith("attn.in_proj_"):
            for letter, rows in zip("qkv", value.chunk(3), strict=True):
                found[f"{layer}.self_attn.{letter}_proj.{block[3].removeprefix('attn.in_proj_')}"] = rows
        elif name != "attn_mask":
            raise NotSupportedError(
                f"The CLIP of transformers has no place for {name}.",
                todo="Export to openclip: transformers has OpenAI's ViT and text tower only.",
            )
    return {name: value.contiguous().clone() for name, value in found.items()}


def quick_gelu(config: Mapping[str, Any], path: Path) -> bool:
    """Whether the model of a configuration has QuickGELU.

    Raises:
        ModelError: it has something else, or is no CLIP.
    """
    kinds = {str(_part(config, tower, path)["hidden_act"]) for tower in _TOWER}
    if config.get("model_type", "clip") != "clip":
        raise ModelError(
            f"{path} describes a model of type {shown(config['model_type'])} in the transformers layout, of which only "
            "clip is converted.",
            todo="Use open_clip's own files of the model: hf-hub:OWNER/NAME or ARCH/tag.",
        )
    if kinds not in ({"quick_gelu"}, {"gelu"}):
        raise ModelError(f"{path}: hidden_act is {shown(sorted(kinds))}, not quick_gelu or gelu in both towers.")
    return kinds == {"quick_gelu"}


def read_table(path: Path) -> dict[str, Any]:
    """The table in a JSON file.

    Raises:
        DaptError: it cannot be read. ModelError: it holds something else.
    """
    found = read_json(path)
    if not isinstance(found, dict):
        raise ModelError(f"{path} is no table.", todo="Copy the whole folder again.")
    return found


def open_clip_config(folder: Path) -> dict[str, Any]:
    """The configuration of a model folder of transformers in open_clip's form, with its preprocessing.

    Raises:
        DaptError: a file cannot be read. ModelError: it describes something that open_clip's CLIP cannot be.
    """
    path = folder / CONFIG
    config = read_table(path)
    quick = quick_gelu(config, path)
    text, vision = _part(config, "text", path), _part(config, "vision", path)
    for part in (text, vision):
        if part["layer_norm_eps"] != 1e-5:
            raise ModelError(f"{path}: layer_norm_eps is {shown(part['layer_norm_eps'])}; open_clip's is 1e-05.")
    try:
        model = {
            "embed_dim": config.get("projection_dim", 512),
            "quick_gelu": quick,
            "vision_cfg": {
                "image_size": vision["image_size"],
                "patch_size": vision["patch_size"],
                "width": vision["hidden_size"],
                "layers": vision["num_hidden_layers"],
                "head_width": vision["hidden_size"] // vision["num_attention_heads"],
                "mlp_ratio": vision["intermediate_size"] / vision["hidden_size"],
            },
            "text_cfg": {
                "context_length": text["max_position_embeddings"],
                "vocab_size": text["vocab_size"],
                "width": text["hidden_size"],
                "layers": text["num_hidden_layers"],
                "heads": text["num_attention_heads"],
                "mlp_ratio": text["intermediate_size"] / text["hidden_size"],
            },
        }
    except (TypeError, ZeroDivisionError) as error:
        raise ModelError(f"{path}: the sizes of the towers are no numbers.", todo="Copy the whole folder.") from error
    return {"model_cfg": model, "preprocess_cfg": _preprocess(folder / PREPROCESSOR)}


def _part(config: Mapping[str, Any], tower: str, path: Path) -> dict[str, Any]:
    """The settings of a tower; older files have them under another name, too, which wins."""
    parts = [config.get(f"{tower}_config") or {}, config.get(f"{tower}_config_dict") or {}]
    if not all(isinstance(part, dict) for part in parts):
        raise ModelError(f"{path}: {tower}_config is no table.", todo="Copy the whole folder again.")
    return {**_DEFAULTS[tower], **parts[0], **parts[1]}


def _preprocess(path: Path) -> dict[str, Any]:
    """Open_clip's notes on pixels; empty where the folder has none, then OpenAI's ways are meant."""
    if not path.is_file():
        return {}
    given = read_table(path)
    resample, size = given.get("resample", 3), given.get("size")
    if isinstance(resample, (list, dict)) or resample not in _RESAMPLE:
        raise ModelError(f"{path}: resample is {shown(resample)}.", todo="Known: 0 nearest, 2 bilinear, 3 bicubic.")
    found = {"interpolation": _RESAMPLE[resample]}
    if isinstance(size, dict) and "height" in size and not given.get("do_center_crop", True):
        found["resize_mode"] = "squash"
    names = {"mean": "image_mean", "std": "image_std"}
    return {**found, **{key: given[name] for key, name in names.items() if given.get(name) is not None}}


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the weights of a model folder of transformers: one, or the several of an index.

    Raises:
        ModelError: there are none, or some are missing.
    """
    for name in WEIGHTS:
        index = folder / f"{name}.index.json"
        if (folder / name).is_file():
            return [folder / name]
        if index.is_file():
            listed = read_table(index).get("weight_map")
            if not isinstance(listed, dict) or not all(isinstance(file, str) for file in listed.values()):
                raise ModelError(f"{index} lists no files.", todo="Copy the whole folder again.")
            files = sorted(set(listed.values()))
            absent = [file for file in files if Path(file).name != file or not (folder / file).is_file()]
            if absent:
                raise ModelError(
                    f"{folder} lacks {len(absent)} of the {len(files)} files of its weights, the first: {absent[0]}.",
                    todo="Copy the whole folder.",
                )
            return [folder / file for file in files]
    raise ModelError(
        f"{folder} is a model folder of transformers ({CONFIG}) without weights.",
        todo=f"Expected {' or '.join(WEIGHTS)}.",
    )
