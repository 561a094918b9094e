"""Models in the layout of the transformers library, for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor


def config(act: str = "gelu", **changes: Any) -> dict[str, Any]:
    """The configuration of the tiny model as transformers writes it."""
    text = {"hidden_size": 24, "intermediate_size": 96, "num_hidden_layers": 4, "num_attention_heads": 2}
    vision = {"hidden_size": 32, "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 2}
    both = {"hidden_act": act}
    return {
        **{"model_type": "clip", "projection_dim": 32},
        "text_config": {**text, **both, "max_position_embeddings": 32, "vocab_size": 49408},
        "vision_config": {**vision, **both, "image_size": 32, "patch_size": 8},
        **changes,
    }


def in_their_layout(model: torch.nn.Module) -> dict[str, Tensor]:
    """The weights of an open_clip model under transformers' names, written down the other way round."""
    own = model.state_dict()
    found = {
        "logit_scale": own["logit_scale"],
        "text_projection.weight": own["text_projection"].t(),
        "visual_projection.weight": own["visual.proj"].t(),
        "text_model.embeddings.position_ids": torch.arange(32)[None],
        "text_model.embeddings.token_embedding.weight": own["token_embedding.weight"],
        "text_model.embeddings.position_embedding.weight": own["positional_embedding"],
        "vision_model.embeddings.position_ids": torch.arange(17)[None],
        "vision_model.embeddings.class_embedding": own["visual.class_embedding"],
        "vision_model.embeddings.patch_embedding.weight": own["visual.conv1.weight"],
        "vision_model.embeddings.position_embedding.weight": own["visual.positional_embedding"],
    }
    for kind in ("weight", "bias"):
        found[f"text_model.final_layer_norm.{kind}"] = own[f"ln_final.{kind}"]
        found[f"vision_model.pre_layrnorm.{kind}"] = own[f"visual.ln_pre.{kind}"]
        found[f"vision_model.post_layernorm.{kind}"] = own[f"visual.ln_post.{kind}"]
        for theirs, ours, layers in (("text", "transformer", 4), ("vision", "visual.transformer", 3)):
            for number in range(layers):
                here, there = f"{ours}.resblocks.{number}", f"{theirs}_model.encoder.layers.{number}"
                for part, value in zip("qkv", own[f"{here}.attn.in_proj_{kind}"].chunk(3), strict=True):
                    found[f"{there}.self_attn.{part}_proj.{kind}"] = value
                for mine, other in (
                    *(("attn.out_proj", "self_attn.out_proj"), ("ln_1", "layer_norm1"), ("ln_2", "layer_norm2")),
                    *(("mlp.c_fc", "mlp.fc1"), ("mlp.c_proj", "mlp.fc2")),
                ):
                    found[f"{there}.{other}.{kind}"] = own[f"{here}.{mine}.{kind}"]
    return {name: value.contiguous() for name, value in found.items()}


def write_folder(folder: Path, model: torch.nn.Module, **changes: Any) -> Path:
    """A model folder as transformers saves one."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config(**changes)))
    save_file(in_their_layout(model), str(folder / "model.safetensors"))
    return folder
