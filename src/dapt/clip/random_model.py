"""A CLIP of a known architecture with random weights: for counting and timing, where their values do not matter."""

from __future__ import annotations

import torch

from dapt.clip.frozen import FrozenClip, Preprocess
from dapt.errors import ConfigError, did_you_mean


def random_clip(architecture: str, *, device: str = "cpu", precision: str = "32") -> FrozenClip:
    """`architecture` as open_clip defines it, with random weights; nothing is downloaded.

    Args:
        architecture: one of ``open_clip.list_models()``, for example ``ViT-B-16-quickgelu``.
        precision: ``32``, ``bf16`` or ``16``.

    Raises:
        ConfigError: open_clip knows no such architecture, or it is no plain CLIP.
    """
    import open_clip

    known = open_clip.get_model_config(architecture)
    if known is None:
        names = open_clip.list_models()
        raise ConfigError(f"open_clip has no architecture '{architecture}'.", todo=did_you_mean(architecture, names))
    if set(known) - {"embed_dim", "vision_cfg", "text_cfg", "quick_gelu"} or "hf_model_name" in known["text_cfg"]:
        raise ConfigError(f"{architecture} is no plain CLIP.", todo="Use ViT-B-16, ViT-L-14 or the like.")
    kind = {"32": torch.float32, "bf16": torch.bfloat16, "16": torch.float16}[precision]
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        # the norms of a model of half precision compute in float32 and give what `cast_dtype` says
        model = open_clip.model.CLIP(**known, cast_dtype=None if kind is torch.float32 else kind)
    if kind is not torch.float32:
        open_clip.model.convert_weights_to_lp(model, kind)
    preprocess = Preprocess(open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
    return FrozenClip(model.to(device), open_clip.get_tokenizer(architecture), preprocess, architecture)
